// The live page: a picture of all stations by REST, then kept up to date by one event stream.
"use strict";

const API = "/api/v1";
const MOST_ROWS = 500;
const SHAPES = {
  available: "available", charging: "charging", preparing: "occupied", suspended_ev: "occupied",
  suspended_evse: "occupied", finishing: "occupied", occupied: "occupied", reserved: "reserved",
  unavailable: "unavailable", faulted: "faulted", offline: "offline", unknown: "unavailable",
};
const WORDS = {
  available: "Available", charging: "Charging", preparing: "Preparing", suspended_ev: "Paused by car",
  suspended_evse: "Paused by station", finishing: "Finishing", occupied: "Occupied", reserved: "Reserved",
  unavailable: "Unavailable", faulted: "Faulted", offline: "Offline", unknown: "No status yet",
};
const URGENCY = [
  "faulted", "charging", "suspended_ev", "suspended_evse", "finishing", "preparing", "occupied", "reserved",
  "available", "unavailable",
];
const EVENTS = [
  "station.connected", "station.disconnected", "station.booted", "station.changed", "station.removed",
  "connector.status", "session.started", "session.updated", "session.ended",
];

const $ = (id) => document.getElementById(id);
const one = new Intl.NumberFormat(undefined, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const whole = new Intl.NumberFormat();
const clock = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const ago = new Intl.RelativeTimeFormat(undefined, { numeric: "auto", style: "short" });

/** station id -> {station, sessions: Map(id -> session), row} */
let network = new Map();
let energyToday = 0;
let stationsUrl = "";
let stream = null;
let dirty = new Set();
let drawing = 0;
let fetching = null;
let refetchTimer = 0;

async function ask(path, options = {}) {
  const response = await fetch(API + path, {
    ...options,
    headers: { "X-Pilotwire": "1", "Content-Type": "application/json", ...options.headers },
  });
  if (response.status === 401 && path !== "/login") {
    showEntry();
    throw new Error("signed out");
  }
  const body = response.status === 204 ? null : await response.json();
  if (!response.ok) throw new Error(body.detail || body.title);
  return body;
}

async function everything(path) {
  const items = [];
  let cursor = null;
  do {
    const page = await ask(path + "limit=1000" + (cursor ? "&cursor=" + encodeURIComponent(cursor) : ""));
    items.push(...page.items);
    cursor = page.next;
  } while (cursor);
  return items;
}

// Signing in and out

function showEntry() {
  stopStream();
  $("live").hidden = $("who").hidden = $("stream").hidden = true;
  $("entry").hidden = false;
  $("email").focus();
}

async function enter(me) {
  $("entry").hidden = true;
  $("name").textContent = me.name;
  $("who").hidden = $("live").hidden = false;
  await refetch();
  startStream();
}

$("login").addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = event.target.querySelector("button");
  button.disabled = true;
  $("refusal").hidden = true;
  try {
    const body = JSON.stringify({ email: $("email").value, password: $("password").value });
    const me = await ask("/login", { method: "POST", body });
    $("password").value = "";
    await enter(me);
  } catch (error) {
    $("refusal").textContent = error.message;
    $("refusal").hidden = false;
  } finally {
    button.disabled = false;
  }
});

$("leave").addEventListener("click", async () => {
  await ask("/logout", { method: "POST" });
  showEntry();
});

// The picture

async function refetch() {
  if (!fetching) {
    fetching = fetchPicture().finally(() => { fetching = null; });
  }
  return fetching;
}

async function fetchPicture() {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
  const [stations, sessions, overview] = await Promise.all([
    everything("/stations?"),
    everything("/sessions?state=active&"),
    ask("/overview?time_zone=" + encodeURIComponent(zone)),
  ]);
  const before = network;
  network = new Map();
  for (const station of stations) {
    network.set(station.id, { station, sessions: new Map(), row: before.get(station.id)?.row || null });
  }
  for (const session of sessions) network.get(session.station_id)?.sessions.set(session.id, session);
  energyToday = overview.energy_today_wh;
  stationsUrl = overview.stations_url || location.origin.replace(/^http/, "ws") + "/ocpp";
  const rows = [...network.values()].slice(0, MOST_ROWS).map((entry) => entry.row || (entry.row = newRow()));
  $("rows").replaceChildren(...rows);
  $("note").textContent = network.size > MOST_ROWS
    ? `The first ${whole.format(MOST_ROWS)} of ${whole.format(network.size)} stations are shown.` : "";
  for (const id of network.keys()) dirty.add(id);
  draw(false);
  filter();
}

function refetchSoon() {
  clearTimeout(refetchTimer);
  refetchTimer = setTimeout(() => refetch().catch(() => {}), 500);
}

// The stream

function startStream() {
  stopStream();
  stream = new EventSource(API + "/events");
  stream.addEventListener("open", showStream);
  stream.addEventListener("error", async () => {
    showStream();
    // A refusal ends the stream for good; a broken one is taken up again by the browser.
    if (stream && stream.readyState === EventSource.CLOSED) {
      stopStream();
      setTimeout(() => ask("/me").then(enter).catch(() => {}), 3000);
    }
  });
  stream.addEventListener("reset", refetchSoon);
  for (const name of EVENTS) {
    stream.addEventListener(name, (event) => take(name, JSON.parse(event.data)));
  }
  showStream();
}

function stopStream() {
  if (stream) stream.close();
  stream = null;
}

function showStream() {
  const broken = !stream || stream.readyState !== EventSource.OPEN;
  $("stream").hidden = false;
  $("stream").className = broken ? "stale" : "";
  $("stream").textContent = broken ? "Connecting …" : "Live";
}

function take(name, data) {
  const entry = network.get(data.station_id);
  if (name === "station.removed" || !entry) {
    refetchSoon();
    return;
  }
  const station = entry.station;
  if (name === "station.connected") {
    Object.assign(station, { connected: true, ocpp_version: data.ocpp_version, last_seen_at: data.at });
  } else if (name === "station.disconnected") {
    Object.assign(station, { connected: false, last_seen_at: data.at });
  } else if (name === "station.booted") {
    Object.assign(station, { vendor: data.vendor, model: data.model, last_seen_at: data.at });
  } else if (name === "station.changed") {
    refetchSoon();
  } else if (name === "connector.status") {
    if (data.evse_id !== null) setConnector(station, data);
    station.last_seen_at = new Date().toISOString();
  } else {
    const known = entry.sessions.get(data.id);
    if (new Date(data.started_at) >= new Date().setHours(0, 0, 0, 0)) {
      energyToday += Math.max((data.energy_wh || 0) - (known?.energy_wh || 0), 0);
    }
    if (name === "session.ended") entry.sessions.delete(data.id);
    else entry.sessions.set(data.id, data);
    station.last_seen_at = new Date().toISOString();
  }
  dirty.add(data.station_id);
  if (!drawing) drawing = setTimeout(() => { drawing = 0; draw(true); }, 250);
}

function setConnector(station, data) {
  let evse = station.evses.find((each) => each.id === data.evse_id);
  if (!evse) station.evses.push(evse = { id: data.evse_id, connectors: [] });
  let connector = evse.connectors.find((each) => each.id === data.connector_id);
  if (!connector) evse.connectors.push(connector = { id: data.connector_id });
  connector.status = data.status;
}

function statusOf(station) {
  if (!station.connected) return "offline";
  const statuses = station.evses.flatMap((evse) => evse.connectors.map((connector) => connector.status));
  return URGENCY.find((status) => statuses.includes(status)) || "unknown";
}

// Drawing

function newRow() {
  const row = document.createElement("tr");
  for (let i = 0; i < 7; i += 1) row.append(document.createElement("td"));
  row.cells[2].className = row.cells[3].className = "number";
  row.addEventListener("animationend", () => row.classList.remove("changed"));
  return row;
}

function put(cell, text) {
  if (cell.textContent === text) return false;
  cell.textContent = text;
  return true;
}

function drawStatus(cell, status) {
  const shape = SHAPES[status];
  if (cell.dataset.status === status) return false;
  cell.dataset.status = status;
  const label = document.createElement("span");
  label.className = "status " + shape;
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", "#" + shape);
  svg.append(use);
  label.append(svg, WORDS[status]);
  cell.replaceChildren(label);
  return true;
}

function drawRow(entry, flash) {
  const { station, row } = entry;
  const sessions = [...entry.sessions.values()];
  const power = sessions.reduce((sum, session) => sum + (session.power_w || 0), 0);
  const energy = sessions.reduce((sum, session) => sum + (session.energy_wh || 0), 0);
  put(row.cells[0], station.name ? `${station.id} · ${station.name}` : station.id);
  let changed = drawStatus(row.cells[1], statusOf(station));
  changed = put(row.cells[2], sessions.length ? `${one.format(power / 1000)} kW` : "–") || changed;
  put(row.cells[3], sessions.length ? `${one.format(energy / 1000)} kWh` : "–");
  put(row.cells[4], station.ocpp_version || "–");
  put(row.cells[5], [station.vendor, station.model].filter(Boolean).join(" ") || "–");
  drawSeen(entry);
  if (flash && changed) row.classList.add("changed");
}

function drawSeen({ station, row }) {
  const cell = row.cells[6];
  if (!station.last_seen_at) {
    put(cell, "never");
    return;
  }
  const moment = new Date(station.last_seen_at);
  const seconds = Math.round((moment - Date.now()) / 1000);
  let text;
  if (station.connected && seconds > -60) text = "now";
  else if (seconds > -60) text = ago.format(Math.min(seconds, 0), "second");
  else if (seconds > -3600) text = ago.format(Math.trunc(seconds / 60), "minute");
  else if (seconds > -86400) text = ago.format(Math.trunc(seconds / 3600), "hour");
  else text = ago.format(Math.trunc(seconds / 86400), "day");
  if (put(cell, text)) cell.title = clock.format(moment);
}

function scaled(value, small, large) {
  return value >= 1e6 ? [one.format(value / 1e6), large] : [one.format(value / 1e3), small];
}

function draw(flash) {
  for (const id of dirty) {
    const entry = network.get(id);
    if (entry && entry.row) drawRow(entry, flash);
  }
  dirty = new Set();
  let power = 0;
  let connected = 0;
  let connectors = 0;
  let charging = 0;
  for (const { station, sessions } of network.values()) {
    for (const session of sessions.values()) power += session.power_w || 0;
    if (station.connected) connected += 1;
    for (const evse of station.evses) {
      connectors += evse.connectors.length;
      if (station.connected) charging += evse.connectors.filter((each) => each.status === "charging").length;
    }
  }
  const [powerNow, powerUnit] = scaled(power, "kW", "MW");
  const [energy, energyUnit] = scaled(energyToday, "kWh", "MWh");
  put($("power"), powerNow);
  put($("power-unit"), powerUnit);
  put($("charging-count"), whole.format(charging));
  put($("connector-count"), `of ${whole.format(connectors)}`);
  put($("energy"), energy);
  put($("energy-unit"), energyUnit);
  put($("online"), network.size ? `${one.format((100 * connected) / network.size)} %` : "–");
  put($("station-count"), network.size ? `${whole.format(connected)} of ${whole.format(network.size)}` : "");
}

function filter() {
  const wanted = $("search").value.trim().toLowerCase();
  let shown = 0;
  for (const { station, row } of network.values()) {
    if (!row) continue;
    const text = `${station.id} ${station.name} ${station.vendor} ${station.model}`.toLowerCase();
    row.hidden = wanted !== "" && !text.includes(wanted);
    if (!row.hidden) shown += 1;
  }
  $("empty").hidden = shown > 0;
  $("empty").textContent = network.size
    ? "No station fits."
    : `No station yet. Add one with POST /api/v1/stations, then point it to ${stationsUrl}/<its id>`;
}

$("search").addEventListener("input", filter);

setInterval(() => {
  for (const entry of network.values()) if (entry.row) drawSeen(entry);
  if (stream) showStream();
}, 10000);

// Every few minutes a fresh picture: midnight, sessions that were corrected, stations of a late boot.
setInterval(() => {
  if (stream && !document.hidden) refetch().catch(() => {});
}, 300000);

ask("/me").then(enter).catch(showEntry);
