// SPDX-License-Identifier: Apache-2.0
#include "user/daemon/daemon.h"

#include <errno.h>
#include <libgen.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "user/base/progress.h"
#include "user/daemon/exports.h"
#include "user/daemon/intake.h"
#include "user/daemon/notify.h"
#include "user/daemon/privileges.h"
#include "user/daemon/recording.h"
#include "user/daemon/report.h"
#include "user/daemon/stacks.h"
#include "user/daemon/timers.h"
#include "user/serve/endpoints.h"
#include "user/serve/http.h"
#include "user/store/stack_text.h"

#define METRICS_US (500 * 1000)
#define REPORT_US  (2 * USEC_PER_SEC)

struct daemon {
	const struct config *config;
	char host[65];
	struct observer *observer;
	struct engine *engine; /* until the pipeline takes it */
	struct pipeline *pipeline;
	struct metrics *metrics;
	struct writer *writer;
	struct store *store; /* until the writer takes it */
	struct http *http;
	struct api *api; /* NULL: no HTTP */
	struct report *report;
	struct exports *exports; /* NULL: none */
	struct recording recording;
	struct stacks *stacks; /* NULL: off */
	int signals;
	bool stop;
	int seeded; /* sockets that were there before, or -errno */
	struct intake intake;
	int64_t stop_us, metrics_us, report_us; /* when next */
	struct endpoints endpoints;
};

/* --- where events go ------------------------------------------------------ */

static void on_event(const struct event *ev, int64_t counted, void *ctx)
{
	struct daemon *d = ctx;

	if (exports_own(d->exports, ev))
		return;
	writer_put(d->writer, ev);
	if (d->api)
		stream_put(api_stream(d->api), ev);
	exports_put(d->exports, ev, counted);
	metrics_count(d->metrics, ev, counted);
}

static void on_folded(const struct event *ev, int64_t counted, void *ctx)
{
	struct daemon *d = ctx;

	metrics_count_folded(d->metrics, ev, counted);
}

static void on_record(const void *data, size_t size, void *ctx)
{
	struct daemon *d = ctx;

	recording_write(&d->recording, data, size);
	pipeline_feed(d->pipeline, data, size);
}

static void on_stack(int64_t event, const struct stack *st, void *ctx)
{
	struct daemon *d = ctx;

	if (st->frames)
		writer_put_stack(d->writer, event, stack_text(st));
}

/* --- opening -------------------------------------------------------------- */

/* The first step: a misspelt timer stops it before anything is started. */
static enum exit_status open_engine(struct daemon *d)
{
	return timers_open(&d->engine, d->config->timeouts);
}

static enum exit_status open_store(struct daemon *d)
{
	char err[512];

	if (store_open(&d->store, d->config->store, STORE_WRITE, err,
		       sizeof(err))) {
		log_error("%s", err);
		return EXIT_FAILED;
	}
	return EXIT_OK;
}

static enum exit_status open_probes(struct daemon *d)
{
	struct observer_config config = {
		.syscalls = d->config->syscalls,
		.netfilter = d->config->netfilter,
		.packet = d->config->packet,
		.separate_netns = d->config->separate_netns,
		.methods = d->config->methods,
		.stacks = d->config->stacks,
		.connections = (uint32_t)d->config->connections,
	};
	struct progress progress;
	char err[512];

	if (observer_open(&d->observer, &config, err, sizeof(err))) {
		log_error("%s", err);
		return EXIT_KERNEL;
	}
	progress_start(&progress, stderr, "taking in the sockets");
	d->seeded = observer_seed(d->observer);
	progress_end(&progress);
	if (d->seeded < 0)
		log_warn("sockets older than the daemon have no owner: %s",
			 strerror(-d->seeded));
	return EXIT_OK;
}

static enum exit_status open_record(struct daemon *d)
{
	int err;

	if (!d->config->record[0])
		return EXIT_OK;
	err = recording_open(&d->recording, d->config->record,
			     observer_context(d->observer));
	if (!err)
		return EXIT_OK;
	log_error("cannot write %s: %s", d->config->record, strerror(-err));
	return EXIT_FAILED;
}

static enum exit_status open_stacks(struct daemon *d)
{
	if (!d->config->stacks)
		return EXIT_OK;
	d->stacks = stacks_new("/proc", on_stack, d);
	if (d->stacks)
		return EXIT_OK;
	log_error("--stacks: %s", strerror(errno));
	return EXIT_FAILED;
}

static enum exit_status open_pipeline(struct daemon *d)
{
	struct pipeline_config config = {
		.host = d->host,
		.context = observer_context(d->observer),
		.proc_root = "/proc",
		.engine = d->engine,
		.separate_netns = d->config->separate_netns,
		.on_event = on_event,
		.on_folded = on_folded,
		.stacks = d->stacks,
		.ctx = d,
	};
	int64_t last = 0;
	int err = store_last_id(d->store, &last);

	if (err) {
		log_error("the store does not answer: %s", strerror(-err));
		return EXIT_FAILED;
	}
	config.first_id = last + 1;
	d->engine = NULL;
	d->pipeline = pipeline_new(&config);
	if (!d->pipeline) {
		log_error("out of memory");
		return EXIT_FAILED;
	}
	d->intake = (struct intake){
		.observer = d->observer,
		.pipeline = d->pipeline,
		.on_record = on_record,
		.ctx = d,
		.stacks = d->stacks,
	};
	return EXIT_OK;
}

static enum exit_status open_http(struct daemon *d)
{
	struct http_config config = {
		.listen = d->config->listen,
		.insecure = d->config->insecure_listen,
		.token_file = d->config->token_file,
		.ctx = &d->endpoints,
	};
	struct api_config api = {d->config->store, d->config->timeouts};
	char err[1024];
	int rc;

	if (!strcmp(d->config->listen, "off"))
		return EXIT_OK;
	d->api = api_new(&api);
	if (!d->api) {
		log_error("out of memory");
		return EXIT_FAILED;
	}
	d->endpoints.api = d->api;
	config.routes = endpoints_routes(&config.n_routes);
	rc = http_open(&d->http, &config, err, sizeof(err));
	if (!rc)
		return EXIT_OK;
	log_error("%s", err);
	return rc == -EINVAL || rc == -EACCES ? EXIT_USAGE : EXIT_FAILED;
}

/* The directory in which SQLite will make its journal files. */
static void drop_privileges(struct daemon *d)
{
	const char *url = d->config->store;
	char path[512], err[256];

	if (!strncmp(url, "sqlite:", 7))
		url += 7;
	snprintf(path, sizeof(path), "%s", url);
	if (privileges_drop(dirname(path), err, sizeof(err)))
		log_warn("%s", err);
}

static enum exit_status start_threads(struct daemon *d)
{
	struct writer_config config = {
		.retain_age_s = d->config->retain_age_s,
		.retain_bytes = d->config->retain_bytes,
	};
	char err[512];
	int rc = writer_start(&d->writer, d->store, &config);

	d->store = NULL; /* the writer's from here on, also on failure */
	if (rc) {
		log_error("the store's thread does not start");
		return EXIT_FAILED;
	}
	if (d->api && stream_start(api_stream(d->api))) {
		log_error("the stream's thread does not start");
		return EXIT_FAILED;
	}
	rc = exports_start(&d->exports, d->config, d->host, err, sizeof(err));
	if (!rc && d->http)
		rc = http_start(d->http, err, sizeof(err));
	if (rc) {
		log_error("%s", err);
		return rc == -EINVAL ? EXIT_USAGE : EXIT_FAILED;
	}
	return EXIT_OK;
}

static void open_signals(struct daemon *d)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	d->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static enum exit_status open_metrics(struct daemon *d)
{
	struct report_config config = {
		.host = d->host,
		.listen = d->config->listen,
		.observer = d->observer,
		.pipeline = d->pipeline,
		.metric_processes = d->config->metric_processes,
	};

	d->report = report_new(&config);
	if (!d->report) {
		log_error("out of memory");
		return EXIT_FAILED;
	}
	d->metrics = report_metrics(d->report);
	d->endpoints.metrics = d->metrics;
	d->endpoints.healthy = report_healthy;
	d->endpoints.healthy_ctx = d->report;
	return EXIT_OK;
}

static enum exit_status open_all(struct daemon *d)
{
	typedef enum exit_status (*step_fn)(struct daemon *);
	static const step_fn steps[] = {
		open_engine, open_store,    open_probes,  open_record,
		open_stacks, open_pipeline, open_metrics, open_http,
	};
	enum exit_status status = EXIT_OK;

	gethostname(d->host, sizeof(d->host) - 1);
	open_signals(d);
	for (size_t i = 0; i < ARRAY_SIZE(steps) && status == EXIT_OK; i++)
		status = steps[i](d);
	if (status != EXIT_OK)
		return status;
	drop_privileges(d);
	report_first(d->report, d->store);
	return start_threads(d);
}

/* --- running -------------------------------------------------------------- */

static void update_report(struct daemon *d, bool ended)
{
	struct outbox_stats exported;
	struct stacks_stats stacks;

	if (exports_get_stats(d->exports, &exported))
		report_exported(d->report, &exported);
	stacks_get_stats(d->stacks, &stacks);
	report_stacks(d->report, &stacks);
	report_update(d->report, d->writer, ended);
}

static void tick(struct daemon *d, int64_t now_us)
{
	if (now_us >= d->metrics_us) {
		metrics_advance(d->metrics, clock_mono_ns());
		exports_advance(d->exports, clock_mono_ns());
		d->metrics_us = now_us + METRICS_US;
	}
	if (now_us >= d->report_us) {
		update_report(d, false);
		notify_watchdog();
		d->report_us = now_us + REPORT_US;
	}
	if (d->stop_us && now_us >= d->stop_us)
		d->stop = true;
}

static void turn(struct daemon *d)
{
	int64_t until = d->report_us;
	struct signalfd_siginfo info;

	if (d->stop_us && d->stop_us < until)
		until = d->stop_us;
	intake_turn(&d->intake, d->signals, until);
	recording_flush(&d->recording);
	tick(d, clock_unix_us());
	if (read(d->signals, &info, sizeof(info)) == sizeof(info))
		d->stop = true;
}

static void announce(struct daemon *d)
{
	struct probe_status probes[PROBES_MAX];
	size_t n = observer_get_probes(d->observer, probes), up = 0;

	for (size_t i = 0; i < n; i++) {
		up += probes[i].up;
		if (!probes[i].up && !probes[i].extra)
			log_warn("probe %s is not there: %s", probes[i].hook,
				 probes[i].why);
	}
	log_info("watching: %zu of %zu probes, %d sockets were there before, "
		 "store %s, http %s",
		 up, n, d->seeded < 0 ? 0 : d->seeded, d->config->store,
		 d->config->listen);
	notify_ready();
	notify_status("watching with %zu of %zu probes", up, n);
}

static void loop(struct daemon *d)
{
	int64_t now_us = d->report_us = clock_unix_us();

	d->metrics_us = now_us + METRICS_US;
	if (d->config->once_us)
		d->stop_us = now_us + d->config->once_us;
	tick(d, now_us);
	announce(d);
	while (!d->stop)
		turn(d);
}

/* --- closing -------------------------------------------------------------- */

static void close_all(struct daemon *d)
{
	notify_stopping();
	if (d->pipeline && d->writer) {
		intake_drain(&d->intake);
		recording_flush(&d->recording);
		pipeline_advance(d->pipeline, UINT64_MAX);
		pipeline_flush(d->pipeline);
		if (d->stacks)
			stacks_finish(d->stacks);
		update_report(d, true);
	}
	exports_stop(d->exports);
	if (d->api)
		stream_stop(api_stream(d->api));
	http_stop(d->http);
	api_free(d->api);
	writer_stop(d->writer);
	store_close(d->store);
	pipeline_free(d->pipeline);
	engine_free(d->engine);
	report_free(d->report);
	recording_close(&d->recording);
	stacks_free(d->stacks);
	observer_close(d->observer);
	if (d->signals >= 0)
		close(d->signals);
}

enum exit_status daemon_run(const struct config *config)
{
	struct daemon d = {.config = config, .signals = -1};
	enum exit_status status = open_all(&d);

	if (status == EXIT_OK)
		loop(&d);
	close_all(&d);
	return status == EXIT_OK && d.recording.failed ? EXIT_FAILED : status;
}
