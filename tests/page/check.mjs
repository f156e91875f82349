// SPDX-License-Identifier: Apache-2.0
// The page in headless Chromium, against a real daemon and real resets.
//   node check.mjs DAEMON PICTURES   (root; see `make page-test`)
// Prints one line for each check, exit status 1 where one fails.
import {execFileSync, spawn} from "node:child_process";
import {mkdtempSync, mkdirSync, openSync, readFileSync, rmSync} from "node:fs";
import {createServer} from "node:net";
import {createRequire} from "node:module";
import {tmpdir} from "node:os";
import {dirname, join, resolve} from "node:path";
import {fileURLToPath} from "node:url";

const [, , daemonPath, pictures] = process.argv;
const here = dirname(fileURLToPath(import.meta.url));
// The modules are where make has put them, not beside the sources.
const require = createRequire(resolve(process.env.PAGE_MODULES, "x"));
const {chromium} = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const SCALE = Number(process.env.RSTSCOPE_TIME_SCALE || 1);
const READY_MS = 30000 * SCALE, WAIT_MS = 15000 * SCALE;
const OURS = "/?peer=127.77.1.1"; // of resets.py
let failed = 0, passed = 0;
const complaints = [];

function check(ok, what, detail = "") {
	console.log(`${ok ? "ok    " : "FAILED"} ${what}${ok ? "" : ": " + detail}`);
	ok ? passed++ : failed++;
}

async function freePort() {
	const server = createServer();
	await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
	const {port} = server.address();
	await new Promise((resolve) => server.close(resolve));
	return port;
}

async function startDaemon(dir) {
	const base = `http://127.0.0.1:${await freePort()}`;
	const log = openSync(join(dir, "log"), "w");
	const daemon = spawn(daemonPath, ["--store", join(dir, "events.db"), "--listen", base.slice(7)],
		{stdio: ["ignore", log, log]});
	const end = Date.now() + READY_MS;
	while (Date.now() < end && daemon.exitCode === null) {
		const answer = await fetch(`${base}/healthz`).catch(() => null);
		if (answer && answer.ok)
			return {daemon, base};
		await new Promise((resolve) => setTimeout(resolve, 100));
	}
	daemon.kill();
	throw new Error(`the daemon did not start:\n${readFileSync(join(dir, "log"), "utf8")}`);
}

/* Returns the pid of the process that made them. */
function resets(name, idle = 0, kinds = ["linger"]) {
	const hex = Buffer.from(name, "latin1").toString("hex");
	const out = execFileSync("python3", [join(here, "resets.py"), hex, String(idle), ...kinds]);
	return Number(out.toString());
}

function watch(page, what) {
	page.on("console", (m) => ["error", "warning"].includes(m.type()) && complaints.push(`${what}: ${m.text()}`));
	page.on("pageerror", (e) => complaints.push(`${what}: ${e.message}`));
	page.on("request", (r) => r.url().startsWith(base) || complaints.push(`${what}: asks ${r.url()}`));
	page.on("dialog", (d) => { complaints.push(`${what}: dialog ${d.message()}`); d.dismiss(); });
}

async function open(browser, what, options, path = OURS) {
	const context = await browser.newContext(options);
	const page = await context.newPage();
	page.setDefaultTimeout(WAIT_MS);
	watch(page, what);
	await visit(page, path);
	return page;
}

async function visit(page, path) {
	await page.goto(base + path);
	await page.waitForFunction(() => document.querySelector("#live").textContent === "live");
}

const rowOf = (page, pid) => page.locator("#events tr", {hasText: `[${pid}]`}).first();

async function liveFailure(page) {
	const pid = resets("live one");
	const seen = await rowOf(page, pid).waitFor().then(() => true, () => false);
	check(seen, "a failure appears without a reload", `no row of pid ${pid}`);
	await rowOf(page, pid).locator("td", {hasText: "linger_zero"}).waitFor();
	check(true, "and is amended to its verdict");
}

async function hostileNames(page) {
	for (const [name, shown] of [
		["<img onerror=1>", "<img onerror=1>"],
		["</td><script>x", "</td><script>x"],
		["a\x01\x1b[31m\x7fb", "a??[31m?b"],
		["123456789012\xe2\x82\xac", "123456789012\u20ac"],
		["1234567890123\xe2\x82\xac", "1234567890123?"],
	]) {
		const pid = resets(name);
		const row = rowOf(page, pid);
		await row.waitFor();
		const cell = await row.locator("td").nth(2).textContent();
		check(cell.startsWith(shown) && cell.endsWith(`[${pid}]`), `the name ${JSON.stringify(name)} stays text`, cell);
	}
	const alien = await page.evaluate(() => document.querySelectorAll("main img, main script, dialog img").length);
	check(alien === 0, "no element came of a name", `${alien} did`);
}

async function story(page) {
	const pid = resets("teller");
	await rowOf(page, pid).locator("td", {hasText: "linger_zero"}).waitFor();
	const link = rowOf(page, pid).locator("a");
	const id = await link.textContent();
	await link.focus();
	await page.keyboard.press("Enter");
	await page.locator("#story[open] h2").waitFor();
	const text = await page.locator("#story").innerText();
	const why = execFileSync(join(dirname(daemonPath), "rstscope"),
		["why", id, "--store", join(dir, "events.db")]).toString();
	const lines = why.split("\n").map((l) => l.trim()).filter((l) => /RST|established|^[+-] |Retry|Often/.test(l));
	const words = (s) => s.replace(/^(Retry|Often|[+-] |[-+0-9.]+ (us|ms|s|min|h) |0 )\s*/, "").trim();
	const missing = lines.map(words).filter((l) => !text.includes(l));
	check(lines.length >= 4 && missing.length === 0, "the story has what `rstscope why` prints", missing.join("; ") || why);
	await page.keyboard.press("Escape");
	await page.locator("#story[open]").waitFor({state: "detached"}).catch(() => {});
	const focused = await page.evaluate(() => document.activeElement.textContent);
	check(focused === id && !(await page.locator("#story[open]").count()), "Escape closes it and the focus is back", focused);
}

async function filters(page) {
	const pid = resets("only me");
	await rowOf(page, pid).waitFor();
	await page.fill("[name=process]", "only me");
	await page.keyboard.press("Enter");
	await page.waitForFunction(() => [...document.querySelectorAll("#events td:nth-child(3)")]
		.every((td) => td.textContent.startsWith("only me[")));
	check(await rowOf(page, pid).count() === 1, "a filter keeps what it names");
	check(new URL(page.url()).searchParams.get("process") === "only me", "and stands in the address", page.url());
	await page.selectOption("#by", "process");
	await page.locator("#groups td", {hasText: "only me"}).waitFor();
	check(await page.locator("#groups tbody tr").count() === 1, "the groups follow it");
	await page.fill("[name=peer]", "nonsense");
	await page.keyboard.press("Enter");
	await page.locator("#notice", {hasText: "peer: 'nonsense' is not an address"}).waitFor();
	check(true, "a wrong filter is told");
	complaints.splice(0, complaints.length, ...complaints.filter((c) => !/status of 400/.test(c)));
	await page.click("button[type=reset]");
	await page.waitForFunction(() => location.search === "" && document.querySelector("#notice").hidden);
	check(true, "Clear asks for everything again");
	await visit(page, OURS);
}

/* A colour as the canvas has it, at points of the chart's own scales. */
const chartColours = (page, id, points) => page.evaluate(([id, points]) => {
	const chart = Chart.getChart(id), {x, y} = chart.scales, scale = chart.currentDevicePixelRatio;
	const copy = document.createElement("canvas"), pen = copy.getContext("2d", {willReadFrequently: true});
	copy.width = chart.canvas.width, copy.height = chart.canvas.height;
	pen.drawImage(chart.canvas, 0, 0);
	return points.map(([at, value]) => [...pen.getImageData(
		Math.round(x.getPixelForValue(at) * scale), Math.round(y.getPixelForValue(value) * scale), 1, 1).data].join());
}, [id, points]);

async function idleTimes(page) {
	resets("idler", 5.02, ["linger"]);
	await page.locator("#timers td", {hasText: "Node.js"}).first().waitFor({state: "attached"});
	const {bar, background, mark, texts} = await page.evaluate(() => {
		const chart = Chart.getChart("idle-chart");
		return {
			bar: chart.data.datasets[0].data.find((d) => d.y), background: [chart.scales.x.min * 1.01, chart.scales.y.max * .9],
			mark: chart.marks.map(([seconds]) => seconds), texts: chart.marks.flatMap(([, components]) => components).join(),
		};
	});
	check(bar && bar.x > 4.7 && bar.x < 5.4 && mark.includes(5) && /Node.js/.test(texts),
		"an idle time of 5 s has its bar and the known timers", JSON.stringify([bar, mark, texts]));
	const line = Array.from({length: 20}, (_, i) => [5, (i + .5) / 20]);
	const [empty, filled, ...dashes] = await chartColours(page, "idle-chart", [background, [bar.x, bar.y / 3], ...line]);
	check(filled !== empty && dashes.filter((c) => c !== empty).length > 5 && new Set(dashes).size > 1,
		"and both are drawn", JSON.stringify({empty, filled, dashes}));
	check(await page.locator("#idle-table tbody tr").count() > 0, "and stand in a table");
}

/* Every cause, as the legend and the bars show it, in one scheme. */
async function causeColours(page, scheme) {
	const causes = execFileSync(join(dirname(daemonPath), "rstscope"), ["causes", "--json"]).toString()
		.trim().split("\n").map((line) => JSON.parse(line).name);
	await page.emulateMedia({colorScheme: scheme});
	const looks = await page.evaluate((names) => names.map((name) => Charts.swatch(name).toDataURL()), causes);
	check(causes.length > 30 && new Set(looks).size === causes.length, `each of ${causes.length} causes looks different, ${scheme}`,
		causes.filter((_, i) => looks.indexOf(looks[i]) !== i).join());
}

/* The colours of the system may change while the page is open. */
async function schemes(page) {
	const canvas = () => page.evaluate(() => document.querySelector("#idle-chart").toDataURL());
	await causeColours(page, "light");
	const light = await canvas();
	await causeColours(page, "dark");
	await page.waitForFunction((light) => document.querySelector("#idle-chart").toDataURL() !== light, light);
	check(true, "the charts follow the colours of the system");
}

/* Something of several kinds, for the pictures. */
function variety() {
	for (const [name, idle, kinds] of [
		["checkout", .2, ["unread", "linger", "linger", "refused", "refused", "exit"]],
		["billing", 1.3, ["unread", "unread", "exit", "exit", "refused"]],
		["node", 6.1, ["linger", "linger"]],
	])
		resets(name, idle, kinds);
}

async function agent(page) {
	const text = await page.locator("#agent").innerText();
	check(/probes/.test(text) && /lost/.test(text) && await page.locator("#probes tbody tr").count() > 5, "the agent's health", text);
}

async function accessible(page, what) {
	await page.evaluate(axe);
	const {violations} = await page.evaluate(() => window.axe.run());
	check(violations.length === 0, `axe finds nothing: ${what}`,
		violations.map((v) => `${v.id} ${v.nodes.map((n) => n.target).join(" ")}`).join("; "));
}

async function noSideways(page, what) {
	const wide = await page.evaluate(() => [document.documentElement, ...document.querySelectorAll(".scroll")]
		.filter((e) => e.checkVisibility() && e.scrollWidth > e.clientWidth).map((e) => `${e.ariaLabel}: ${e.scrollWidth} of ${e.clientWidth}`));
	check(wide.length === 0, `${what} needs no sideways scrolling`, wide.join("; "));
}

async function looks(browser, what, options) {
	const page = await open(browser, what, options, OURS + "&since=15m");
	await page.locator("#legend li").first().waitFor();
	await page.waitForTimeout(2500); // new rows fade
	await noSideways(page, what);
	await page.screenshot({path: join(pictures, `${what}.png`), fullPage: true, timeout: 4 * WAIT_MS});
	await accessible(page, what);
	await page.locator("#events a").first().click();
	await page.locator("#story[open] h2").waitFor();
	await accessible(page, `${what}, a story`);
	await page.screenshot({path: join(pictures, `${what}-story.png`)});
	await page.context().close();
}

const wide = {width: 1280, height: 900};
const dir = mkdtempSync(join(tmpdir(), "rstscope-page-"));
mkdirSync(pictures, {recursive: true});
const {daemon, base} = await startDaemon(dir);
let browser;
try {
	browser = await chromium.launch({executablePath: "/usr/bin/chromium", args: ["--no-sandbox"]});
	const page = await open(browser, "page", {viewport: wide});
	for (const part of [liveFailure, hostileNames, story, filters, idleTimes, schemes, agent])
		await part(page);
	variety();
	await looks(browser, "light", {viewport: wide, colorScheme: "light"});
	await looks(browser, "dark", {viewport: wide, colorScheme: "dark"});
	await looks(browser, "phone", {viewport: {width: 360, height: 740}, isMobile: true, hasTouch: true, deviceScaleFactor: 2});
	check(complaints.length === 0, "no error in the console, no request to elsewhere", complaints.join("; "));
} catch (error) {
	check(false, "the check came to its end", error.stack);
} finally {
	if (browser)
		await browser.close();
	daemon.kill();
	rmSync(dir, {recursive: true, force: true});
}
console.log(`${passed} passed, ${failed} failed; pictures in ${pictures}`);
process.exit(failed ? 1 : 0);
