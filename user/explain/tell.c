/* SPDX-License-Identifier: Apache-2.0 */
/* Texts with placeholders: the wording stays in the tables of rules. */
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "user/base/base.h"
#include "user/explain/tls.h"
#include "user/explain/view.h"

struct out {
	char *at;
	size_t left;
};

static void put(struct out *o, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void put(struct out *o, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (!o->left)
		return;
	va_start(ap, fmt);
	n = vsnprintf(o->at, o->left, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	if ((size_t)n >= o->left)
		n = (int)o->left - 1;
	o->at += n;
	o->left -= (size_t)n;
}

static void put_ms(struct out *o, int64_t ms)
{
	char text[40];

	if (ms < 0) {
		put(o, "an unknown time");
		return;
	}
	format_duration_ms((double)ms, text, sizeof(text));
	put(o, "%s", text);
}

static void put_bytes(struct out *o, int64_t bytes)
{
	if (bytes < 0)
		put(o, "an unknown number of bytes");
	else if (bytes == 1)
		put(o, "1 byte");
	else
		put(o, "%" PRId64 " bytes", bytes);
}

static void put_count(struct out *o, int64_t n)
{
	if (n < 0)
		put(o, "an unknown number of");
	else
		put(o, "%" PRId64, n);
}

static void put_task(struct out *o, const struct fact_task *task)
{
	char comm[2 * REC_COMM];

	if (task->pid == NOT_KNOWN) {
		put(o, "an unknown process");
		return;
	}
	format_safe(task->comm, comm, sizeof(comm));
	put(o, "%s (pid %" PRId64 ")", comm, task->pid);
}

static void put_alert(struct out *o, int alert)
{
	const char *name = tls_alert_name(alert);

	if (name)
		put(o, "%s", name);
	else
		put(o, "%d", alert);
}

static void put_seconds(struct out *o, double seconds)
{
	put(o, "%.4g s", seconds);
}

static void put_worked(struct out *o, const struct view *v)
{
	put_ms(o, v->worked_ms);
}

#define SHOW(name, call)                                                       \
	static void show_##name(struct out *o, const struct view *v)           \
	{                                                                      \
		call;                                                          \
	}

SHOW(age, put_ms(o, v->f->age_ms))
SHOW(ahead, put_bytes(o, v->ahead))
SHOW(age_cluster, put_seconds(o, v->past.age.seconds))
SHOW(ages, put_count(o, v->past.age.n))
SHOW(alert, put_alert(o, v->f->tls_alert))
SHOW(backlog, put_count(o, v->f->accept_backlog))
SHOW(brief, put_count(o, v->past.brief_10s))
SHOW(burst, put_count(o, v->past.sudden_10s))
SHOW(closer, put_task(o, &v->f->closer.task))
SHOW(closer_idle, put_ms(o, v->f->closer.idle_ms))
SHOW(component, put(o, "%s", v->component))
SHOW(fin_before, put_ms(o, v->f->peer_fin_before_ms))
SHOW(fin_lag, put_ms(o, v->fin_lag_ms))
SHOW(others_open, put_count(o, v->f->place_open - 1))
SHOW(served_ago, put_ms(o, v->f->since_served_ms))
SHOW(challenge, put_ms(o, v->f->since_challenge_ms))
SHOW(forgotten, put_count(o, v->past.forgotten))
SHOW(handshake_ttl, put_count(o, v->f->handshake_ttl))
SHOW(idle, put_ms(o, v->idle_ms))
SHOW(idle_cluster, put_seconds(o, v->past.idle.seconds))
SHOW(idles, put_count(o, v->past.idle.n))
SHOW(left, put_ms(o, v->left_ms))
SHOW(end_age, put_ms(o, v->age_ms))
SHOW(fin_idle, put_ms(o, v->f->fin_since_send_ms))
SHOW(live, put_count(o, v->past.live_before))
SHOW(lport, put(o, "%u", v->f->local.port))
SHOW(other, put_task(o, &v->f->other.task))
SHOW(other_did, put(o, "%s", v->f->other.did))
SHOW(other_idle, put_ms(o, v->f->other.idle_ms))
SHOW(other_unread, put_bytes(o, v->f->other.unread_bytes))
SHOW(pause, put_ms(o, v->pause_ms))
SHOW(period, put_seconds(o, v->past.period_s))
SHOW(ports, put_count(o, v->past.ports_hit))
SHOW(probes, put_count(o, v->f->probes_out))
SHOW(protocol, put(o, "%s", v->protocol.name))
SHOW(reason, put(o, "%s", v->f->reason_name))
SHOW(received, put_bytes(o, v->f->received_bytes))
SHOW(refused, put_count(o, v->past.refused))
SHOW(reply, put_ms(o, v->reply_ms))
SHOW(retransmits, put_count(o, v->f->retransmits))
SHOW(sent, put_bytes(o, v->f->sent_bytes))
SHOW(seq_ahead, put(o, "%" PRId64, v->f->rst_seq_ahead))
SHOW(signal, put_count(o, v->f->task.exit_signal))
SHOW(skb, put_bytes(o, v->f->skb_bytes))
SHOW(status, put_count(o, v->f->task.exit_status))
SHOW(http, put_count(o, v->f->http_status))
SHOW(task, put_task(o, &v->f->task))
SHOW(timer, put_seconds(o, v->timer_s))
SHOW(tls_alike, put_count(o, v->past.tls_alike))
SHOW(together, put_count(o, v->past.together))
SHOW(ttl, put_count(o, v->f->rst_ttl))
SHOW(unacked, put_bytes(o, v->f->unacked_bytes))
SHOW(unread, put_bytes(o, v->f->unread_bytes))
SHOW(unsent, put_bytes(o, v->f->unsent_bytes))
SHOW(user_timeout, put_ms(o, v->f->user_timeout_ms))
SHOW(worked, put_worked(o, v))

#define ROW(name)                                                              \
	{                                                                      \
#name, show_##name                                             \
	}
static const struct {
	const char *name;
	void (*show)(struct out *o, const struct view *v);
} shown[] = {
	ROW(age),	   ROW(age_cluster), ROW(ages),
	ROW(ahead),	   ROW(left),	     ROW(end_age),
	ROW(fin_idle),	   ROW(forgotten),   ROW(others_open),
	ROW(served_ago),   ROW(challenge),   ROW(alert),
	ROW(backlog),	   ROW(brief),	     ROW(burst),
	ROW(closer),	   ROW(closer_idle), ROW(component),
	ROW(fin_before),   ROW(fin_lag),     ROW(handshake_ttl),
	ROW(http),	   ROW(idle),	     ROW(idle_cluster),
	ROW(idles),	   ROW(live),	     ROW(lport),
	ROW(other),	   ROW(other_did),   ROW(other_idle),
	ROW(other_unread), ROW(pause),	     ROW(period),
	ROW(ports),	   ROW(probes),	     ROW(protocol),
	ROW(reason),	   ROW(received),    ROW(refused),
	ROW(reply),	   ROW(retransmits), ROW(sent),
	ROW(seq_ahead),	   ROW(signal),	     ROW(skb),
	ROW(status),	   ROW(task),	     ROW(timer),
	ROW(tls_alike),	   ROW(together),    ROW(ttl),
	ROW(unacked),	   ROW(unread),	     ROW(unsent),
	ROW(user_timeout), ROW(worked),
};

static bool put_placeholder(struct out *o, const struct view *v,
			    const char *name, size_t size)
{
	for (size_t i = 0; i < ARRAY_SIZE(shown); i++) {
		if (strncmp(shown[i].name, name, size) || shown[i].name[size])
			continue;
		shown[i].show(o, v);
		return true;
	}
	return false;
}

static void put_plain(struct out *o, const char *text, size_t size)
{
	if (size >= o->left)
		size = o->left ? o->left - 1 : 0;
	memcpy(o->at, text, size);
	o->at += size;
	o->left -= size;
}

/* A text that filled its buffer may end within a character. */
static void end(struct out *o, const char *start)
{
	if (o->left == 1) {
		while (o->at > start && (o->at[-1] & 0xc0) == 0x80)
			o->at--;
		if (o->at > start && (o->at[-1] & 0xc0) == 0xc0)
			o->at--;
	}
	*o->at = '\0';
}

void tell(const struct view *v, const char *text, char *out, size_t size)
{
	struct out o = {out, size};

	if (!size)
		return;
	while (*text) {
		const char *open = strchrnul(text, '{');
		const char *close = strchr(open, '}');

		if (!close) {
			put_plain(&o, text, strlen(text));
			break;
		}
		put_plain(&o, text, (size_t)(open - text));
		if (!put_placeholder(&o, v, open + 1,
				     (size_t)(close - open - 1)))
			put_plain(&o, "?", 1);
		text = close + 1;
	}
	end(&o, out);
}
