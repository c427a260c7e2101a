/** Instants as people read them, in their language and time zone. */
import { moment } from "../core/select";
import { locale } from "./settings.svelte";
import { say } from "./words.svelte";

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

class Clock {
  /** Milliseconds since 1970, as of the last minute. */
  now = $state(Date.now());
}

export const clock = new Clock();

setInterval(() => (clock.now = Date.now()), MINUTE / 2);

const formats = new Map<string, Intl.DateTimeFormat>();

function formatted(at: number, name: string, options: Intl.DateTimeFormatOptions): string {
  const key = `${locale()} ${name}`;
  let format = formats.get(key);
  if (format === undefined) formats.set(key, (format = new Intl.DateTimeFormat(locale(), options)));
  return format.format(at);
}

/** The day of an instant in the person's time zone, such as 2026-11-21; "" for none. */
export function dayOf(at: string): string {
  const ms = moment(at);
  return ms === null ? "" : dayKey(ms);
}

function dayKey(ms: number): string {
  const date = new Date(ms);
  const two = (number: number) => String(number).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

/** A day of `dayOf` in words: today, yesterday, else its date. */
export function dayName(day: string): string {
  if (day === "") return "";
  const near = nearDay(day);
  if (near !== null) return near;
  const ms = new Date(`${day}T12:00:00`).getTime();
  const isThisYear = day.slice(0, 4) === dayKey(clock.now).slice(0, 4);
  return isThisYear
    ? formatted(ms, "day", { weekday: "long", day: "numeric", month: "long" })
    : formatted(ms, "day of year", { day: "numeric", month: "long", year: "numeric" });
}

function nearDay(day: string): string | null {
  const ago = [0, 1].find((days) => day === dayKey(clock.now - days * DAY));
  if (ago === undefined) return null;
  const name = new Intl.RelativeTimeFormat(locale(), { numeric: "auto" }).format(-ago, "day");
  return name.charAt(0).toLocaleUpperCase(locale()) + name.slice(1);
}

/** Hour and minute. */
export function timeOf(at: string): string {
  const ms = moment(at);
  return ms === null ? "" : formatted(ms, "time", { hour: "2-digit", minute: "2-digit" });
}

/** Date and time in full. */
export function fullTime(at: string): string {
  const ms = moment(at);
  return ms === null ? "" : formatted(ms, "full", { dateStyle: "long", timeStyle: "short" });
}

/** As short as it can be said in a list: the time of today, the day of this week, else the date. */
export function shortTime(at: string): string {
  const ms = moment(at);
  if (ms === null) return "";
  if (dayKey(ms) === dayKey(clock.now)) return timeOf(at);
  if (clock.now - ms < 6 * DAY) return formatted(ms, "weekday", { weekday: "short" });
  return formatted(ms, "date", { day: "numeric", month: "short" });
}

/** How long ago, such as "3 hours ago". */
export function ago(at: string): string {
  const ms = moment(at);
  if (ms === null) return "";
  const minutes = Math.round((clock.now - ms) / MINUTE);
  if (minutes < 1) return say.justNow;
  const relative = new Intl.RelativeTimeFormat(locale(), { numeric: "auto" });
  if (minutes < 60) return relative.format(-minutes, "minute");
  if (minutes < 24 * 60) return relative.format(-Math.round(minutes / 60), "hour");
  if (minutes < 14 * 24 * 60) return relative.format(-Math.round(minutes / 24 / 60), "day");
  return formatted(ms, "long date", { dateStyle: "medium" });
}
