// SPDX-License-Identifier: Apache-2.0
// Everything that comes from outside is set as text, never as HTML.
"use strict";

const ROWS_MOST = 300;
const REFRESH_MS = 10000; // the charts, where nothing new came
const SETTLE_MS = 1000; // after something new came

const $ = (id) => document.getElementById(id);
const filterForm = $("filter");
let source = null, paused = false, next = null, refreshTimer = 0, listenTimer = 0, lastSummary = null;

function el(tag, attributes, ...children) {
	const node = document.createElement(tag);
	for (const [name, value] of Object.entries(attributes || {}))
		node.setAttribute(name, value);
	node.append(...children.filter((c) => c !== null && c !== undefined));
	return node;
}

/* Names of causes may break at their underscores. */
function breakable(text) {
	return el("span", {}, ...text.split(/(?<=_)/).flatMap((part) => [part, el("wbr")]));
}

function notice(text) {
	$("notice").textContent = text;
	$("notice").hidden = !text;
}

/* --- what is asked for ---------------------------------------------------- */

function filter() {
	const params = new URLSearchParams();
	for (const [name, value] of new FormData(filterForm))
		if (value.trim())
			params.set(name, value.trim());
	return params;
}

function withFilter(path, more) {
	const params = filter();
	for (const [name, value] of Object.entries(more || {}))
		params.set(name, value);
	return `${path}?${params}`;
}

async function get(url) {
	const answer = await fetch(url, {headers: {Accept: "application/json"}});
	const body = await answer.json();
	if (!answer.ok)
		throw new Error(body.detail || answer.statusText);
	return body;
}

/* The address bar holds the filter, so that a view can be passed on. */
function showAddress() {
	const params = filter();
	if (params.get("since") === "1h")
		params.delete("since");
	history.replaceState(null, "", (params.size ? "?" + params : location.pathname) + location.hash);
}

function readAddress() {
	for (const [name, value] of new URLSearchParams(location.search)) {
		const field = filterForm.elements.namedItem(name);
		if (!field)
			continue;
		if (field.type === "checkbox")
			field.checked = value !== "false";
		else
			field.value = value;
	}
	if (!filterForm.elements.since.value)
		filterForm.elements.since.value = "1h";
}

/* --- failures ------------------------------------------------------------- */

function timeText(iso) {
	const date = new Date(iso), today = new Date().toDateString() === date.toDateString();
	const day = today ? "" : date.toLocaleDateString([], {month: "short", day: "numeric"}) + " ";
	return el("time", {datetime: iso, title: iso}, day + date.toLocaleTimeString([], {hour12: false}));
}

function processParts(event) {
	return event.process ? [event.process.comm, el("wbr"), `[${event.process.pid}]`] : [];
}

function failureText(event) {
	const call = event.syscall;
	if (event.kind === "sent")
		return call ? `${call.class} sent RST` : "sent RST";
	if (!call)
		return `${event.kind}, not told`;
	return call.errno ? `${call.class} ${call.errno}` : `${call.class} ${event.kind}`;
}

function peerText(event) {
	const {ip, port} = event.connection.peer;
	return event.connection.family === "ipv6" ? `[${ip}]:${port}` : `${ip}:${port}`;
}

function row(event) {
	const open = el("a", {href: `#${event.id}`, "aria-label": `Why, failure ${event.id}`}, String(event.id));
	return el("tr", {id: `e${event.id}`},
		el("td", {class: "nowrap"}, open),
		el("td", {class: "nowrap"}, timeText(event.time)),
		el("td", {class: "break"}, ...processParts(event)),
		el("td", {class: "wide"}, failureText(event)),
		el("td", {class: "wide"}, peerText(event)),
		el("td", {}, breakable(event.cause.name)),
		el("td", {class: "number wide"}, String(event.count)),
		el("td", {class: "number wide"}, event.cause.confidence.toFixed(2)));
}

/* An event that was amended takes the place of what it was. */
function place(event) {
	const old = $(`e${event.id}`), fresh = row(event);
	if (old) {
		old.replaceWith(fresh);
		return;
	}
	const after = [...$("events").rows].find((r) => Number(r.id.slice(1)) < event.id);
	if (!after && next)
		return; // of a page that is not shown
	fresh.classList.add("new");
	$("events").insertBefore(fresh, after || null);
	while ($("events").childElementCount > ROWS_MOST)
		$("events").lastElementChild.remove();
	$("empty").hidden = true;
}

async function loadEvents(cursor) {
	const page = await get(withFilter("/api/v1/events", cursor ? {cursor} : {}));
	const rows = page.events.map(row);
	if (cursor)
		$("events").append(...rows);
	else
		$("events").replaceChildren(...rows);
	next = page.next;
	$("older").hidden = !next;
	$("empty").hidden = $("events").childElementCount > 0;
}

/* --- groups and charts ---------------------------------------------------- */

/* A heading is a text, or one with the classes of its column. */
function table(node, head, rows) {
	const kind = (h) => ({class: h.kind || ""});
	node.replaceChildren(
		el("thead", {}, el("tr", {}, ...head.map((h) => el("th", {scope: "col", ...kind(h)}, h.text || h)))),
		el("tbody", {}, ...rows.map((cells) => el("tr", {}, ...cells.map((c, i) => el("td", kind(head[i]), c))))));
}

function number(text) {
	return {text, kind: "number"};
}

const FILTER_OF = {cause: "cause", process: "process", peer: "peer", port: "port"};

/* A group's name sets the filter where there is one of that name. */
function groupName(name, value) {
	if (value === null)
		return "not known";
	if (!FILTER_OF[name])
		return value;
	const button = el("button", {type: "button", class: "link", title: `only ${name} ${value}`}, breakable(value));
	button.addEventListener("click", () => {
		filterForm.elements.namedItem(FILTER_OF[name]).value = value;
		start();
		$("failures").focus();
	});
	return button;
}

function rateText(perSecond) {
	for (const [seconds, unit] of [[1, "s"], [60, "min"], [3600, "h"]])
		if (perSecond * seconds >= 1)
			return `${(perSecond * seconds).toFixed(1)}/${unit}`;
	if (perSecond > 0 && perSecond * 86400 < 0.05)
		return "<0.1/d";
	return `${(perSecond * 86400).toFixed(1)}/d`;
}

function showGroups(summary) {
	const names = summary.groups.length ? Object.keys(summary.groups[0].group) : [];
	table($("groups"), [...names, number("count"), number("share"), {text: "rate", kind: "number wide"},
		{text: "idle", kind: "nowrap"}, {text: "last", kind: "nowrap wide"}],
		summary.groups.map((g) => [
			...names.map((n) => groupName(n, g.group[n])),
			String(g.count), `${(100 * g.share).toFixed(1)} %`, rateText(g.rate_per_second),
			g.idle ? `${Charts.duration(g.idle.seconds)} (${Math.round(100 * g.idle.share)} %)` : "",
			timeText(g.last)]));
	$("causes").replaceChildren(...summary.timeline.causes.map((c) => el("option", {value: c})));
}

function showTime(summary) {
	const {causes, points} = summary.timeline;
	const partly = summary.complete ? "" : " (the newest only: too many to count them all)";
	$("total").textContent = `${summary.count} failures${partly}` +
		(summary.groups_total > summary.groups.length ? `, ${summary.groups.length} of ${summary.groups_total} groups shown` : "");
	Charts.time($("time-chart"), summary.timeline, `Failures over time by cause: ${summary.count} in all`);
	$("legend").replaceChildren(...causes.map((c) => el("li", {}, Charts.swatch(c), c)));
	table($("time-table"), ["from", ...causes.map(number)],
		points.filter((p) => p.counts.some((n) => n)).map((p) => [timeText(p.time), ...p.counts.map(String)]));
}

function showIdle(summary) {
	const {bins, timers} = summary.idle;
	$("idle-chart").parentNode.hidden = !bins.length;
	$("no-idle").hidden = bins.length > 0;
	if (bins.length)
		Charts.idle($("idle-chart"), summary.idle, `Idle times before failures, known timers marked: ${timers.length}`);
	table($("idle-table"), [number("idle"), number("failures")],
		bins.filter((b) => b.count).map((b) => [Charts.binText(b), String(b.count)]));
	table($("timers"), [number("timer"), "component", "setting"], timers.map((t) => [
		t.from_seconds === t.to_seconds ? Charts.duration(t.to_seconds)
			: `${Charts.duration(t.from_seconds)} to ${Charts.duration(t.to_seconds)}`,
		t.component, t.setting]));
}

function draw() {
	showTime(lastSummary);
	showIdle(lastSummary);
}

async function loadSummary() {
	lastSummary = await get(withFilter("/api/v1/summary", {by: $("by").value}));
	showGroups(lastSummary);
	draw();
}

/* --- agent ---------------------------------------------------------------- */

function bytesText(n) {
	return n < 1048576 ? `${Math.round(n / 1024)} KiB` : `${(n / 1048576).toFixed(1)} MiB`;
}

function showAgent(status) {
	const d = status.daemon, health = $("health");
	health.textContent = status.healthy ? "All is well." : `Not well: ${status.why}`;
	health.classList.toggle("bad", !status.healthy);
	if (!d)
		return;
	$("host").textContent = d.host;
	document.title = `rstscope ${d.host}`;
	const lost = d.lost.ring + d.lost.queue + d.lost.store;
	const facts = [
		["version", `${d.version} (${d.revision})`], ["kernel", d.kernel],
		["running since", new Date(d.started_us / 1000).toLocaleString()],
		["probes", `${d.probes.filter((p) => p.up).length} of ${d.probes.length}`],
		["lost", lost ? `${lost} records or events` : "nothing"],
		["connections seen", `${d.connections.client} as client, ${d.connections.server} as server`],
		["store", status.store ? `${status.store.events} events, ${bytesText(status.store.bytes)}` : "does not answer"],
	];
	$("agent").replaceChildren(...facts.flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));
	table($("probes"), ["probe", "method", "state"], d.probes.map((p) => [p.hook, p.method, p.up ? "up" : `missing: ${p.why}`]));
	$("blind").replaceChildren(...d.blind_spots.map((text) => el("li", {}, text)));
}

/* --- one failure as a story ----------------------------------------------- */

function placeText(event) {
	const p = event.process || {};
	return [["unit", p.unit], ["container", p.container], ["pod", p.pod], ["program", p.exe]]
		.filter(([, value]) => value).map(([name, value]) => `${name} ${value}`).join(", ");
}

function verdictParts(cause) {
	const timer = cause.timeout;
	const others = (cause.alternatives || []).map((a) => `${a.name} ${a.confidence.toFixed(2)}`).join(", ");
	return [
		el("p", {}, el("strong", {}, cause.name), `, confidence ${cause.confidence.toFixed(2)}, blame ${cause.blame}` +
			(cause.benign ? ", benign (nothing was lost)" : "")),
		timer ? el("p", {}, `Timer: ${timer.seconds} s${timer.component ? ", " + timer.component : ""}` +
			(timer.learned ? ", learned from this destination" : "")) : null,
		el("ul", {class: "evidence"}, ...cause.evidence.map((e) => el("li", {class: e.supports ? "for" : "against"},
			el("span", {class: "skip"}, e.supports ? "for: " : "against: "), e.fact))),
		others ? el("p", {}, `Or perhaps: ${others}`) : null,
	];
}

function storyParts(story) {
	const event = story.event, c = event.connection;
	const place = placeText(event);
	const end = (e) => c.family === "ipv6" ? `[${e.ip}]:${e.port}` : `${e.ip}:${e.port}`;
	return [
		el("h2", {id: "headline"}, story.headline),
		el("p", {class: "summary"}, `Event ${event.id} (${event.kind}), `, timeText(event.time), `, host ${event.host}`,
			event.count > 1 ? `; stands for ${event.count} alike ones` : ""),
		el("p", {class: "summary"}, `our end ${end(c.local)} (${c.role}), peer ${end(c.peer)}`),
		place ? el("p", {class: "summary"}, place) : null,
		el("h3", {}, "Timeline"),
		el("ol", {class: "moments"}, ...story.moments.map((m) => el("li", {class: m.failure ? "failure" : ""},
			el("span", {class: "when"}, m.time), el("span", {}, m.text)))),
		el("h3", {}, "Verdict"), ...verdictParts(event.cause),
		el("h3", {}, "Retry"), el("p", {}, story.retry),
		event.advice.fixes.length ? el("h3", {}, "Change") : null,
		event.advice.fixes.length ? el("ul", {}, ...event.advice.fixes.map((f) => el("li", {}, f))) : null,
		story.often ? el("h3", {}, "Often") : null,
		story.often ? el("p", {}, story.often) : null,
		el("p", {}, el("a", {href: `/api/v1/events/${event.id}`}, "As JSON"), ", ",
			el("code", {}, `rstscope why ${event.id}`)),
	];
}

async function openStory() {
	const id = location.hash.slice(1);
	if (!/^[0-9]+$/.test(id)) {
		$("story").close();
		return;
	}
	try {
		const story = await get(`/api/v1/events/${id}/story`);
		$("story-body").replaceChildren(...storyParts(story).filter((p) => p));
		if (!$("story").open)
			$("story").showModal();
	} catch (error) {
		notice(error.message);
	}
}

/* The way back to the list, also for the browser's own. */
function leaveStory() {
	const id = location.hash.slice(1);
	history.replaceState(null, "", location.pathname + location.search);
	const link = document.querySelector(`#e${CSS.escape(id)} a`);
	if (link)
		link.focus();
}

/* --- live ----------------------------------------------------------------- */

function liveState(text, name) {
	$("live").textContent = text;
	$("live").className = name;
}

async function refresh() {
	clearTimeout(refreshTimer);
	try {
		const [status] = await Promise.all([get("/api/v1/status"), loadSummary()]);
		showAgent(status);
		notice("");
	} catch (error) {
		notice(error.message);
	}
	clearTimeout(refreshTimer);
	refreshTimer = setTimeout(refresh, document.hidden || paused ? 6 * REFRESH_MS : REFRESH_MS);
}

function reload() {
	loadEvents().catch((error) => notice(error.message));
	refresh();
}

let settling = false;

function onFailure(message) {
	place(JSON.parse(message.data));
	if (!settling) { // once a second in a storm, and not only at its end
		settling = true;
		setTimeout(() => { settling = false; refresh(); }, SETTLE_MS);
	}
}

function onMissed(message) {
	notice(`${JSON.parse(message.data).events} failures came too fast to show each.`);
	loadEvents().catch((error) => notice(error.message));
}

function listen() {
	clearTimeout(listenTimer);
	if (source)
		source.close();
	if (paused) {
		liveState("paused", "");
		return;
	}
	source = new EventSource(withFilter("/api/v1/stream"));
	source.addEventListener("open", () => { liveState("live", "on"); reload(); });
	source.addEventListener("failure", onFailure);
	source.addEventListener("missed", onMissed);
	source.addEventListener("error", () => {
		liveState("not connected", "off");
		if (source.readyState === EventSource.CLOSED) {
			reload(); // says why
			clearTimeout(listenTimer);
			listenTimer = setTimeout(listen, REFRESH_MS);
		}
	});
}

function start() {
	showAddress();
	if (paused)
		reload();
	listen();
}

filterForm.addEventListener("submit", (event) => { event.preventDefault(); start(); });
filterForm.addEventListener("reset", () => setTimeout(start));
$("by").addEventListener("change", refresh);
$("older").addEventListener("click", () => loadEvents(next).catch((error) => notice(error.message)));
$("pause").addEventListener("click", () => {
	paused = !paused;
	$("pause").setAttribute("aria-pressed", String(paused));
	listen();
});
$("story").addEventListener("close", leaveStory);
addEventListener("hashchange", openStory);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => lastSummary && draw());
readAddress();
start();
openStory();
