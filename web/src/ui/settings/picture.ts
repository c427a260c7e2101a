/** A picture made small enough for a profile (row M44: at most 32 KiB and 1024 pixels a side). */

const MOST_BYTES = 32 * 1024;
const SIDES = [320, 256, 192, 128, 96];
const QUALITIES = [0.9, 0.75, 0.6];

/** The middle square of a picture as Base64 of a JPEG or WebP file.  Throws what the browser throws for what is none. */
export async function smallPicture(file: Blob): Promise<string> {
  const picture = await createImageBitmap(file);
  const side = Math.min(picture.width, picture.height);
  const [x, y] = [(picture.width - side) / 2, (picture.height - side) / 2];
  for (const to of SIDES) {
    const canvas = new OffscreenCanvas(to, to);
    canvas.getContext("2d")!.drawImage(picture, x, y, side, side, 0, 0, to, to);
    for (const quality of QUALITIES) {
      const small = await canvas.convertToBlob({ type: "image/webp", quality });
      if (small.size <= MOST_BYTES) return base64(new Uint8Array(await small.arrayBuffer()));
    }
  }
  throw new Error("too large");
}

function base64(bytes: Uint8Array): string {
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}
