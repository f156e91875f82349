// SPDX-License-Identifier: Apache-2.0
// Two charts as SVG. Colours are classes of style.css.
"use strict";

const Charts = (() => {
	const HEIGHT = 190, LEFT = 40, RIGHT = 8, TOP = 18, BOTTOM = 22;
	const COLOURS = 8;
	const colourOf = new Map();

	function svg(tag, attributes, text) {
		const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
		for (const [name, value] of Object.entries(attributes || {}))
			node.setAttribute(name, value);
		if (text !== undefined)
			node.textContent = text;
		return node;
	}

	// A cause keeps its colour while the page is open.
	function colour(name) {
		if (!colourOf.has(name))
			colourOf.set(name, colourOf.size < COLOURS ? "c" + colourOf.size : "rest");
		return colourOf.get(name);
	}

	// 1, 2 or 5 times a power of ten, not below value.
	function roundUp(value) {
		const power = 10 ** Math.floor(Math.log10(Math.max(value, 1)));
		return [1, 2, 5, 10].map((n) => n * power).find((n) => n >= value);
	}

	function frame(container, label, max) {
		const width = Math.max(container.clientWidth, 240);
		const root = svg("svg", {viewBox: `0 0 ${width} ${HEIGHT}`, role: "img", "aria-label": label});
		const bottom = HEIGHT - BOTTOM;
		for (const part of [0, 0.5, 1]) {
			const y = bottom - part * (bottom - TOP);
			root.append(svg("line", {class: "axis", x1: LEFT, x2: width - RIGHT, y1: y, y2: y}));
			if (part * max === Math.floor(part * max))
				root.append(svg("text", {x: LEFT - 6, y: y + 4, "text-anchor": "end"}, short(part * max)));
		}
		container.replaceChildren(root);
		return {root, width, bottom, inner: width - LEFT - RIGHT, height: bottom - TOP};
	}

	function short(n) {
		if (n >= 1e6)
			return n / 1e6 + "M";
		return n >= 1e4 ? n / 1e3 + "k" : String(n);
	}

	function bar(f, x, width, from, to, max, name, title) {
		const y = f.bottom - to / max * f.height;
		const rect = svg("rect", {class: name, x, width: Math.max(width, 1), y, height: (to - from) / max * f.height});
		rect.append(svg("title", {}, title));
		f.root.append(rect);
	}

	function clock(time, step) {
		const date = new Date(time);
		if (step >= 21600)
			return date.toLocaleDateString([], {month: "short", day: "numeric"});
		return date.toLocaleTimeString([], {hour: "2-digit", minute: "2-digit", hour12: false});
	}

	function time(container, timeline, label) {
		const {points, causes} = timeline;
		const sums = points.map((p) => p.counts.reduce((a, b) => a + b, 0));
		const max = roundUp(Math.max(1, ...sums));
		const f = frame(container, label, max);
		const step = f.inner / Math.max(points.length, 1);
		const every = Math.ceil(points.length / Math.max(2, Math.floor(f.inner / 90)));
		points.forEach((point, i) => {
			const x = LEFT + i * step;
			let at = 0;
			point.counts.forEach((count, c) => {
				if (!count)
					return;
				bar(f, x, step - 1, at, at + count, max, colour(causes[c]),
					`${clock(point.time, timeline.step_seconds)}: ${count} ${causes[c]}`);
				at += count;
			});
			if (i % every === 0)
				f.root.append(svg("text", {x, y: HEIGHT - 6}, clock(point.time, timeline.step_seconds)));
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

	// The axis is one of decades; bins of no event keep their room.
	function idle(container, idleTimes, label) {
		const {bins, timers} = idleTimes;
		const first = Math.log10(bins[0].from_ms) - 0.1, last = Math.log10(bins[bins.length - 1].to_ms) + 0.1;
		const max = roundUp(Math.max(1, ...bins.map((b) => b.count)));
		const f = frame(container, label, max);
		// a single bin would fill the chart
		const span = Math.max(last - first, 1), start = (first + last - span) / 2;
		const x = (ms) => LEFT + (Math.log10(ms) - start) / span * f.inner;
		for (const b of bins)
			if (b.count)
				bar(f, x(b.from_ms), x(b.to_ms) - x(b.from_ms) - 1, 0, b.count, max, "c1",
					`${duration(b.from_ms / 1000)} to ${duration(b.to_ms / 1000)}: ${b.count}`);
		let free = LEFT;
		for (const ms of [100, 300, 1e3, 3e3, 1e4, 3e4, 6e4, 3e5, 6e5, 3.6e6, 4 * 3.6e6, 24 * 3.6e6])
			if (x(ms) >= free && x(ms) < f.width - 40) {
				f.root.append(svg("text", {x: x(ms), y: HEIGHT - 6, "text-anchor": "middle"}, duration(ms / 1000)));
				free = x(ms) + 55;
			}
		marks(f, x, timers);
	}

	function marks(f, x, timers) {
		const seconds = [...new Set(timers.map((t) => t.to_seconds))].sort((a, b) => a - b);
		let free = LEFT;
		for (const s of seconds) {
			const at = x(s * 1000);
			if (at < LEFT || at > f.width - RIGHT)
				continue;
			const line = svg("line", {class: "timer", x1: at, x2: at, y1: TOP - 4, y2: f.bottom});
			line.append(svg("title", {}, timers.filter((t) => t.to_seconds === s).map((t) => t.component).join("\n")));
			f.root.append(line);
			if (at < free || at > f.width - 24)
				continue;
			f.root.append(svg("text", {class: "timer-name", x: at, y: TOP - 7, "text-anchor": "middle"}, duration(s)));
			free = at + 45;
		}
	}

	function swatch(name) {
		const root = svg("svg", {viewBox: "0 0 10 10", "aria-hidden": "true"});
		root.append(svg("rect", {class: colour(name), width: 10, height: 10}));
		return root;
	}

	return {time, idle, swatch, duration};
})();
