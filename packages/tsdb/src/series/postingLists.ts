/**
 * Many lists of series ids, most of them short: a list of one lies in the table itself, lists of
 * up to SMALL_MAX in an arena of blocks whose sizes are powers of two, longer ones in arrays of
 * their own. Ids are added in any order and sorted when they are read.
 */
import { NO_POSTINGS, type Postings } from '../postings.ts';
import { Column } from '../column.ts';

const SMALL_MAX = 1024;
const CLASSES = Math.log2(SMALL_MAX) + 1;

export class PostingLists {
  readonly #count = new Column(Uint32Array);
  /** The id of a list of one; where in the arena a small list is; the number of a large one. */
  readonly #place = new Column(Uint32Array);
  readonly #unsorted = new Column(Uint8Array);
  readonly #arena = new Column(Uint32Array);
  #arenaUsed = 0;
  /** Blocks that are free, by the logarithm of their size. */
  readonly #free: number[][] = Array.from({ length: CLASSES }, () => []);
  readonly #large: Uint32Array[] = [];

  /** Makes room for so many lists, all empty at first. */
  reserve(lists: number): void {
    this.#count.reserve(lists);
    this.#place.reserve(lists);
    this.#unsorted.reserve(lists);
  }

  length(list: number): number {
    return this.#count.view[list];
  }

  add(list: number, id: number): void {
    const count = this.#count.view[list];
    this.#count.view[list] = count + 1;
    if (count === 0) {
      this.#place.view[list] = id;
      return;
    }
    const ids = this.#roomAfter(list, count);
    const at = count >= SMALL_MAX ? 0 : this.#place.view[list];
    if (id < ids[at + count - 1]) this.#unsorted.view[list] = 1;
    ids[at + count] = id;
  }

  /** The ids, rising; a view that is valid until the next change of any list. */
  view(list: number): Postings {
    const count = this.#count.view[list] ?? 0;
    if (count === 0) return NO_POSTINGS;
    const place = this.#place.view[list];
    if (count === 1) return Uint32Array.of(place);
    const ids =
      count > SMALL_MAX
        ? this.#large[place].subarray(0, count)
        : this.#arena.view.subarray(place, place + count);
    if (this.#unsorted.view[list] === 1) {
      ids.sort();
      this.#unsorted.view[list] = 0;
    }
    return ids;
  }

  /** The array with room for one more id behind `count`; the list's place is kept up to date. */
  #roomAfter(list: number, count: number): Uint32Array {
    const place = this.#place.view[list];
    if (count > SMALL_MAX) {
      const ids = this.#large[place];
      if (count < ids.length) return ids;
      const larger = new Uint32Array(new SharedArrayBuffer(Math.ceil(count * 1.25) * 4));
      larger.set(ids);
      this.#large[place] = larger;
      return larger;
    }
    if (count === SMALL_MAX) return this.#becomeLarge(list, place);
    // A block is full when its count is a power of two.
    if ((count & (count - 1)) !== 0) return this.#arena.view;
    const block = this.#allocate(31 - Math.clz32(count) + 1);
    const ids = this.#arena.view;
    if (count === 1) {
      ids[block] = place;
    } else {
      ids.copyWithin(block, place, place + count);
      this.#free[31 - Math.clz32(count)].push(place);
    }
    this.#place.view[list] = block;
    return ids;
  }

  #becomeLarge(list: number, place: number): Uint32Array {
    const ids = new Uint32Array(new SharedArrayBuffer(SMALL_MAX * 2 * 4));
    ids.set(this.#arena.view.subarray(place, place + SMALL_MAX));
    this.#free[CLASSES - 1].push(place);
    this.#place.view[list] = this.#large.length;
    this.#large.push(ids);
    return ids;
  }

  #allocate(sizeLog: number): number {
    const free = this.#free[sizeLog].pop();
    if (free !== undefined) return free;
    const block = this.#arenaUsed;
    this.#arenaUsed += 1 << sizeLog;
    this.#arena.reserve(this.#arenaUsed);
    return block;
  }
}
