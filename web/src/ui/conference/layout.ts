/** Where the tiles are: as large as they can be together, or one of them large and the others in a strip beside it. */

export interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

export const GAP = 12;
const WIDEST = 16 / 9;
const NARROWEST = 3 / 5;
/** Of the strip: at most so large a tile, and at most this share of the whole. */
const STRIP_WIDTH = 200;
const STRIP_HEIGHT = 104;
const STRIP_SHARE = 0.3;

/** `count` boxes in a field; `large`: which one is to be large, null: none. */
export function layout(count: number, width: number, height: number, large: number | null): Box[] {
  return large === null || count < 2 ? grid(count, width, height) : strip(count, width, height, large);
}

/** As many columns as give the largest tiles; rows that are not full stand in the middle. */
function grid(count: number, width: number, height: number): Box[] {
  let best = { width: 0, height: 0, columns: 1 };
  for (let columns = 1; columns <= count; columns++) {
    const rows = Math.ceil(count / columns);
    const [freeWidth, freeHeight] = [(width - GAP * (columns - 1)) / columns, (height - GAP * (rows - 1)) / rows];
    const one = {
      width: Math.floor(Math.min(freeWidth, freeHeight * WIDEST)),
      height: Math.floor(Math.min(freeHeight, freeWidth / NARROWEST)),
      columns,
    };
    if (one.width * one.height > best.width * best.height) best = one;
  }
  const { columns, ...size } = best;
  const rows = Math.ceil(count / columns);
  const top = (height - rows * size.height - (rows - 1) * GAP) / 2;
  return Array.from({ length: count }, (_, index) => {
    const row = Math.floor(index / columns);
    const inRow = Math.min(columns, count - row * columns);
    const left = (width - inRow * size.width - (inRow - 1) * GAP) / 2;
    return {
      left: left + (index - row * columns) * (size.width + GAP),
      top: top + row * (size.height + GAP),
      ...size,
    };
  });
}

/** The strip is on the right of a wide field, and below in a high one. */
function strip(count: number, width: number, height: number, large: number): Box[] {
  const small = count - 1;
  const isWide = width > height;
  const each = (whole: number, most: number) => Math.floor(Math.min(most, (whole - GAP * (small - 1)) / small));
  const size = isWide
    ? { width: Math.floor(Math.min(STRIP_WIDTH, width * STRIP_SHARE)), height: each(height, STRIP_WIDTH / WIDEST) }
    : {
        width: each(width, STRIP_HEIGHT / NARROWEST),
        height: Math.floor(Math.min(STRIP_HEIGHT, height * STRIP_SHARE)),
      };
  const length = small * (isWide ? size.height : size.width) + (small - 1) * GAP;
  const start = ((isWide ? height : width) - length) / 2;
  const main = isWide
    ? { left: 0, top: 0, width: width - size.width - GAP, height }
    : { left: 0, top: 0, width, height: height - size.height - GAP };
  return Array.from({ length: count }, (_, index) => {
    if (index === large) return main;
    const place = index < large ? index : index - 1;
    return isWide
      ? { left: width - size.width, top: start + place * (size.height + GAP), ...size }
      : { left: start + place * (size.width + GAP), top: height - size.height, ...size };
  });
}
