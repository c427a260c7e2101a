/** Numbers as people read them, in their language. */
import { locale } from "./settings.svelte";

const UNITS = ["kilobyte", "megabyte", "gigabyte", "terabyte"];

/** A whole number. */
export function number(value: number): string {
  return value.toLocaleString(locale());
}

/** A size in bytes, in the decimal unit that suits it, such as 1.2 GB; what is there is never 0 kB. */
export function size(bytes: number): string {
  let [value, unit] = [bytes === 0 ? 0 : Math.max(0.1, bytes / 1000), 0];
  for (; value >= 1000 && unit < UNITS.length - 1; unit++) value /= 1000;
  const maximumFractionDigits = value < 10 ? 1 : 0;
  return value.toLocaleString(locale(), { style: "unit", unit: UNITS[unit]!, maximumFractionDigits });
}

/** A time that lasts, such as 7 days. */
export function lasting(count: number, unit: "day" | "month" | "year"): string {
  return count.toLocaleString(locale(), { style: "unit", unit, unitDisplay: "long" });
}
