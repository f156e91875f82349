// SPDX-License-Identifier: Apache-2.0
// The two charts, drawn by Chart.js. Colours are variables of style.css.
"use strict";

const Charts = (() => {
	// A cause's place gives its look: each hue plain, then striped, then
	// dotted. The usual ones stand first; what is not here is grey.
	const CAUSES = [
		"stale_keepalive", "connection_refused", "process_exit", "linger_zero", "lb_idle_timeout",
		"peer_closed_unread", "server_crash", "peer_closed_early", "close_with_unread_data",
		"connect_timeout", "firewall_idle_drop",
		"peer_aborted", "late_data", "port_closed", "half_open", "firewall_reject", "keepalive_timeout",
		"user_timeout", "db_pool_idle", "rate_limit", "tls_handshake_failure", "graceful_race",
		"max_connections", "vpn_proxy_limit", "middlebox_injected", "health_check", "port_scan",
		"accept_overflow", "listener_closed", "admin_abort", "memory_pressure", "bad_segment",
		"peer_unreachable",
	];
	const HUES = 11, TILE = 8, SWATCH = 12;
	const IDLE_MARGIN = 4, IDLE_BINS_LEAST = 24; // bins; 20 are a decade
	const IDLE_TICKS = [.1, .3, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600, 14400, 86400];
	const MARK_FONT = 11, MARK_LETTERS = 34;

	function variable(name) {
		return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
	}

	/* --- what a cause looks like ------------------------------------------ */

	function stripes(pen) {
		for (const x of [-TILE, 0, TILE]) {
			pen.moveTo(x - 1, TILE + 1);
			pen.lineTo(x + TILE + 1, -1);
		}
		pen.stroke();
	}

	function dots(pen) {
		for (const at of [TILE / 4, TILE * 3 / 4])
			pen.fillRect(at - 1, at - 1, 2, 2);
	}

	const TEXTURES = [null, stripes, dots];

	function fill(cause) {
		const place = CAUSES.indexOf(cause);
		if (place < 0)
			return variable("--rest");
		const hue = variable(`--c${place % HUES}`), texture = TEXTURES[Math.floor(place / HUES)];
		if (!texture)
			return hue;
		const tile = document.createElement("canvas"), pen = tile.getContext("2d");
		tile.width = tile.height = TILE;
		pen.fillStyle = hue;
		pen.fillRect(0, 0, TILE, TILE);
		pen.strokeStyle = pen.fillStyle = variable("--card");
		pen.lineWidth = 2;
		texture(pen);
		return pen.createPattern(tile, "repeat");
	}

	function swatch(cause) {
		const canvas = document.createElement("canvas"), pen = canvas.getContext("2d");
		canvas.width = canvas.height = SWATCH;
		canvas.setAttribute("aria-hidden", "true");
		pen.fillStyle = fill(cause);
		pen.fillRect(0, 0, SWATCH, SWATCH);
		return canvas;
	}

	/* --- known timers, as marks on the idle times ------------------------- */

	/* [[seconds, [component, ...]], ...], the shortest first. */
	function marks(timers) {
		const at = new Map();
		for (const t of timers)
			at.set(t.to_seconds, [...at.get(t.to_seconds) || [], t.component]);
		return [...at].sort((a, b) => a[0] - b[0]);
	}

	function markText([seconds, components]) {
		const more = components.length > 1 ? ` +${components.length - 1}` : "";
		const room = MARK_LETTERS - more.length, text = `${duration(seconds)} ${components[0].split(" (")[0]}`;
		return (text.length > room ? text.slice(0, room - 1) + "\u2026" : text) + more;
	}

	/* Its name stands upright at the left of its line, where there is room. */
	function drawMark(chart, mark, x, free) {
		const {ctx: pen, chartArea: area} = chart, named = x - MARK_FONT - 4 > free;
		pen.save();
		pen.setLineDash([4, 3]);
		pen.strokeStyle = variable("--text");
		pen.beginPath();
		pen.moveTo(x, area.top);
		pen.lineTo(x, area.bottom);
		pen.stroke();
		if (named) {
			pen.setLineDash([]);
			pen.translate(x - 3, area.top);
			pen.rotate(-Math.PI / 2);
			pen.textAlign = "right";
			pen.font = `${MARK_FONT}px ${Chart.defaults.font.family}`;
			pen.strokeStyle = variable("--card");
			pen.lineWidth = 3;
			pen.strokeText(markText(mark), 0, 0);
			pen.fillStyle = variable("--text");
			pen.fillText(markText(mark), 0, 0);
		}
		pen.restore();
	}

	const timerMarks = {
		id: "timerMarks",
		afterDatasetsDraw(chart) {
			const {chartArea: area, scales: {x: scale}} = chart;
			let free = area.left;
			for (const mark of chart.marks || []) {
				const x = scale.getPixelForValue(mark[0]);
				if (x < area.left || x > area.right)
					continue;
				drawMark(chart, mark, x, free);
				free = x;
			}
		},
	};

	/* --- the charts ------------------------------------------------------- */

	Chart.register(timerMarks);
	Chart.defaults.animation = false;
	Chart.defaults.maintainAspectRatio = false;
	Chart.defaults.font.family = "system-ui, sans-serif";
	Chart.defaults.plugins.legend.display = false;
	Object.assign(Chart.defaults.interaction, {mode: "index", intersect: false});
	Object.assign(Chart.defaults.datasets.bar, {categoryPercentage: 1, barPercentage: .9});

	function draw(canvas, label, data, options, timers) {
		Chart.defaults.color = variable("--soft");
		Chart.defaults.borderColor = variable("--line");
		const chart = Chart.getChart(canvas) || new Chart(canvas, {type: "bar", data: {datasets: []}});
		chart.marks = timers;
		chart.data = data;
		chart.options = options;
		chart.update();
		canvas.setAttribute("aria-label", label);
	}

	function counts(stacked) {
		return {stacked, beginAtZero: true, suggestedMax: 1, grace: "5%", ticks: {precision: 0, maxTicksLimit: 6}};
	}

	function clock(time, step) {
		const date = new Date(time);
		if (step >= 21600)
			return date.toLocaleDateString([], {month: "short", day: "numeric"});
		return date.toLocaleTimeString([], {hour: "2-digit", minute: "2-digit", second: step < 60 ? "2-digit" : undefined, hour12: false});
	}

	function time(canvas, timeline, label) {
		const {points, causes, step_seconds: step} = timeline;
		draw(canvas, label, {
			labels: points.map((p) => clock(p.time, step)),
			datasets: causes.map((cause, i) =>
				({label: cause, data: points.map((p) => p.counts[i]), backgroundColor: fill(cause)})),
		}, {
			scales: {
				x: {stacked: true, grid: {display: false}, ticks: {maxRotation: 0, autoSkipPadding: 16}},
				y: counts(true),
			},
			plugins: {tooltip: {filter: (item) => item.parsed.y > 0}},
		});
	}

	function duration(seconds) {
		if (seconds < 1)
			return Math.round(seconds * 1000) + " ms";
		if (seconds < 120)
			return +seconds.toPrecision(3) + " s";
		if (seconds < 7200)
			return +(seconds / 60).toPrecision(3) + " min";
		return +(seconds / 3600).toPrecision(3) + " h";
	}

	function binText(bin) {
		return `${duration(bin.from_ms / 1000)} to ${duration(bin.to_ms / 1000)}`;
	}

	/* With empty bins around them, so that a single one does not fill the chart. */
	function padded(bins) {
		const all = [...bins], ratio = bins[0].to_ms / bins[0].from_ms;
		while (all.length < Math.max(bins.length + 2 * IDLE_MARGIN, IDLE_BINS_LEAST)) {
			const {from_ms: from} = all[0], {to_ms: to} = all[all.length - 1];
			all.unshift({from_ms: from / ratio, to_ms: from, count: 0});
			all.push({from_ms: to, to_ms: to * ratio, count: 0});
		}
		return all;
	}

	/* The axis is one of decades. */
	function idle(canvas, idleTimes, label) {
		const bins = padded(idleTimes.bins), timers = marks(idleTimes.timers);
		const min = bins[0].from_ms / 1000, max = bins[bins.length - 1].to_ms / 1000;
		draw(canvas, label, {
			datasets: [{
				label: "failures",
				data: bins.map((b) => ({x: Math.sqrt(b.from_ms * b.to_ms) / 1000, y: b.count})),
				backgroundColor: variable("--c1"),
			}],
		}, {
			scales: {
				x: {
					type: "logarithmic", min, max, offset: false, grid: {display: false},
					afterBuildTicks: (axis) => { axis.ticks = IDLE_TICKS.filter((t) => t > min && t < max).map((value) => ({value})); },
					ticks: {callback: duration, maxRotation: 0, autoSkipPadding: 12},
				},
				y: counts(false),
			},
			plugins: {tooltip: {callbacks: {title: ([item]) => binText(bins[item.dataIndex])}}},
		}, timers);
	}

	return {time, idle, swatch, duration, binText};
})();
