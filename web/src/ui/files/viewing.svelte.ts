/** The picture that is looked at, and those before and after it in its conversation. */
import { isPicture, type PictureInfo } from "../../core/files";
import { conversation } from "../../core/state";
import { client } from "../client.svelte";

/** So many messages on either side are looked through for pictures. */
const AROUND = 500;

class Viewing {
  pictures = $state.raw<readonly PictureInfo[]>([]);
  /** Which of them. */
  at = $state(0);

  get now(): PictureInfo | undefined {
    return this.pictures[this.at];
  }

  open(peer: string, picture: PictureInfo): void {
    const { posts } = conversation(client.state, peer);
    let index = posts.length - 1;
    while (index >= 0 && !posts.at(index)!.files.includes(picture)) index--;
    const near = posts.slice(Math.max(0, index - AROUND), Math.min(posts.length, index + AROUND));
    const found = near.flatMap(({ files }) => files.filter(isPicture));
    this.pictures = found.includes(picture) ? found : [picture];
    this.at = this.pictures.indexOf(picture);
  }

  /** To the next ones, or back; not past the ends. */
  go(by: number): void {
    this.at = Math.max(0, Math.min(this.pictures.length - 1, this.at + by));
  }

  close(): void {
    this.pictures = [];
    this.at = 0;
  }
}

export const viewing = new Viewing();
