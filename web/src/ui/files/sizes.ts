/** Sizes, speeds and times left, as people read them; and what is wrong with a file, as a sentence. */
import { kindOf, type Progress } from "../../core/files";
import { Unreadable } from "../../net/files";
import { LinkLost, RequestFailed } from "../../net/client";
import type { FileInfo } from "../../protocol";
import { explain } from "../notices.svelte";
import { locale } from "../settings.svelte";
import { shown } from "../client.svelte";
import { preview } from "../talk/markdown";
import { oneLine } from "../text";
import { say } from "../words.svelte";

const UNITS = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"] as const;

/** `1.2 MB`; a thousand of one unit are one of the next. */
export function sizeText(bytes: number): string {
  const step = Math.min(UNITS.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  const value = bytes / 1000 ** step;
  const digits = step === 0 || value >= 100 ? 0 : 1;
  return unitText(value, UNITS[step]!, digits);
}

/** `20 sec`, `3 min`, `2 hr`. */
function timeText(seconds: number): string {
  if (seconds < 59.5) return unitText(Math.max(1, Math.round(seconds)), "second");
  if (seconds < 3570) return unitText(Math.round(seconds / 60), "minute");
  return unitText(Math.round(seconds / 3600), "hour");
}

function unitText(value: number, unit: string, digits = 0): string {
  const unitDisplay = unit === "byte" ? "long" : "short";
  return new Intl.NumberFormat(locale(), { style: "unit", unit, unitDisplay, maximumFractionDigits: digits }).format(
    value,
  );
}

/** `1.2 MB of 8 MB · 3 MB/s · 2 sec left`, as far as it is known. */
export function progressText({ done, total, speed, leftS }: Progress): string {
  const parts = [say.doneOf(sizeText(done), sizeText(total))];
  if (speed !== null) parts.push(say.perSecond(sizeText(speed)));
  if (leftS !== null && done < total) parts.push(say.timeLeft(timeText(leftS)));
  return parts.join(" · ");
}

/** What went wrong with a file, and what to do next. */
export function problemText(error: unknown): string {
  if (error instanceof Unreadable) return say.fileUnreadable;
  if (error instanceof LinkLost) return say.fileBroken;
  if (!(error instanceof RequestFailed)) return say.fileNotSaved; // the disk, or the browser
  switch (error.code) {
    case "too-large":
      return say.fileTooLarge(sizeText(shown.hello?.limits.file_bytes ?? 0));
    case "too-many":
      return say.fileQuota;
    case "storage-full":
      return say.fileNoRoom;
    case "wrong-hash":
      return say.fileWrong;
    case "unknown-id":
      return say.fileGone;
    default:
      return explain(error);
  }
}

/** A message in one line: its text, else what its files are. */
export function summary({ text, files }: { text: string; files?: readonly FileInfo[] | undefined }): string {
  const line = oneLine(preview(text));
  if (line !== "" || !files || files.length === 0) return line;
  const arePictures = files.every((file) => kindOf(file) === "picture");
  if (files.length === 1) return arePictures ? say.photo : say.fileNamed(oneLine(files[0]!.name, 80));
  return arePictures ? say.photos(files.length) : say.files(files.length);
}
