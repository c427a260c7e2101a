/** Numbers as people read them, in their language. */
import { locale } from "./settings.svelte";

const UNITS = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"];

/** A whole number. */
export function number(value: number): string {
  return value.toLocaleString(locale());
}

/** A size in bytes, in the decimal unit that suits it, such as 1.2 GB. */
export function size(bytes: number): string {
  let unit = 0;
  for (; bytes >= 1000 && unit < UNITS.length - 1; unit++) bytes /= 1000;
  const maximumFractionDigits = unit > 0 && bytes < 10 ? 1 : 0;
  return bytes.toLocaleString(locale(), { style: "unit", unit: UNITS[unit]!, maximumFractionDigits });
}

/** A time that lasts, such as 7 days. */
export function lasting(count: number, unit: "day" | "month" | "year"): string {
  return count.toLocaleString(locale(), { style: "unit", unit, unitDisplay: "long" });
}
