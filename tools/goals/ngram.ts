/**
 * An interpolated n-gram language model with modified Kneser-Ney smoothing, over token ids: the yardstick that a trained
 * model has to beat. Exact counts, no pruning. Not for generating text.
 *
 * Source: Chen and Goodman, "An Empirical Study of Smoothing Techniques for Language Modeling", Harvard TR-10-98 (1998),
 * section 3. With h a context, h' the same without its first token, • any token:
 *
 *   p(w | h)  = max(c(hw) − D(c(hw)), 0) / c(h•)  +  γ(h) · p(w | h')          and p(w | h') alone where c(h•) = 0
 *   γ(h)      = (D1 · N1(h•) + D2 · N2(h•) + D3 · N3(h•)) / c(h•)
 *   D1, D2, D3 = 1 − 2Y·n2/n1,  2 − 3Y·n3/n2,  3 − 4Y·n4/n3,   Y = n1 / (n1 + 2·n2)
 *
 * D(c) is D1, D2 or D3 for c = 1, 2, ≥ 3. N1, N2, N3(h•) = how many w have c(hw) = 1, 2, ≥ 3. n_i = how many n-grams of
 * that order have c = i; each order has its own discounts. Below one token comes the uniform 1 / vocabulary.
 *
 * c is the number of occurrences at the highest order. At lower orders c(g) is the number of different tokens seen before
 * g, plus the occurrences of g at the start of a document, which nothing can precede (as SRILM and KenLM treat <s>).
 * The first token of a document is context only: it is never predicted.
 */

/** Where a count of counts is zero the formula has no value; these are KenLM's fallback. */
const FALLBACK = [0.5, 1, 1.5] as const;

/** Each n-gram seen is a node; node 0 is the empty n-gram. A hash table finds the node of (n-gram, next token). */
export class KneserNey {
  readonly order: number;
  readonly vocab: number;
  /** [order + 1][4]: discounts[k][i] is subtracted from a count of i (3 stands for more) among n-grams of k tokens. */
  readonly discounts: number[][] = [];

  /** Open addressing; a key is node × vocab + token, −1 an empty slot; the number of slots is a power of two. */
  #keys = new Float64Array(1 << 16).fill(-1);
  #slots = new Int32Array(1 << 16);

  /** One entry a node. */
  #size = 1;
  #parent = new Int32Array(1 << 15);
  #count = new Int32Array(1 << 15);
  #length = new Uint8Array(1 << 15);

  /** One entry a node, as a context: c(h•) and the numerator of γ(h). */
  #total = new Float64Array(0);
  #discounted = new Float64Array(0);

  constructor(order: number, vocab: number) {
    if (!(Number.isInteger(order) && order >= 1 && order <= 255)) throw new RangeError(`order ${order} is not 1…255`);
    if (!(Number.isInteger(vocab) && vocab >= 1 && vocab <= 1 << 22)) throw new RangeError(`vocab ${vocab} is not 1…2^22`);
    this.order = order;
    this.vocab = vocab;
  }

  /** Counts n-grams inside each document, then fixes discounts. Call it once. */
  train(documents: Iterable<ArrayLike<number>>): void {
    if (this.#size > 1) throw new Error("train() was called before on this model");
    for (const document of documents) this.#countDocument(document);
    this.#finish();
  }

  /** ln p(token | context). Only the last order − 1 tokens of the context matter. */
  logProb(context: ArrayLike<number>, token: number): number {
    return Math.log(this.#probability(context, context.length, token));
  }

  /** −ln p summed over all tokens of the document but its first. */
  nats(document: ArrayLike<number>): number {
    let sum = 0;
    for (let i = 1; i < document.length; i++) sum -= Math.log(this.#probability(document, i, document[i]));
    return sum;
  }

  /** p(token | tokens before position `end`), built from the shortest context up. */
  #probability(tokens: ArrayLike<number>, end: number, token: number): number {
    let p = 1 / this.vocab;
    for (let length = 0; length < this.order && length <= end; length++) {
      let context = 0;
      for (let i = end - length; i < end && context >= 0; i++) context = this.#find(context, tokens[i]);
      if (context < 0) break; // a longer context cannot have been seen either
      const total = this.#total[context];
      if (!(total > 0)) continue; // seen, but only before the end of a document
      const node = this.#find(context, token);
      const count = node < 0 ? 0 : this.#count[node];
      const discount = this.discounts[length + 1][Math.min(count, 3)];
      p = (count - discount + this.#discounted[context] * p) / total;
    }
    return p;
  }

  #countDocument(document: ArrayLike<number>): void {
    /** before[k] is the node of the k tokens that end at the position before. */
    let before = [0];
    for (let i = 0; i < document.length; i++) {
      const token = document[i];
      const here = [0];
      for (let k = 1; k <= Math.min(this.order, i + 1); k++) {
        const known = this.#size;
        const node = this.#findOrAdd(before[k - 1], token);
        here.push(node);
        const atStart = i + 1 === k;
        // The loop goes from short to long, so here[k − 1] is the same n-gram without its first token.
        if (this.#size > known && k > 1) this.#count[here[k - 1]]++;
        if (i > 0 && (k === this.order || atStart)) this.#count[node]++;
      }
      before = here;
    }
  }

  #finish(): void {
    const countsOfCounts = Array.from({ length: this.order + 1 }, () => [0, 0, 0, 0, 0]);
    for (let node = 1; node < this.#size; node++) {
      const count = this.#count[node];
      const row = countsOfCounts[this.#length[node]];
      if (count <= 4) row[count]++;
    }
    for (const [, n1, n2, n3, n4] of countsOfCounts) {
      const y = n1 / (n1 + 2 * n2);
      const exact = [1 - (2 * y * n2) / n1, 2 - (3 * y * n3) / n2, 3 - (4 * y * n4) / n3];
      const usable = exact.every((discount, i) => discount >= 0 && discount <= i + 1);
      this.discounts.push([0, ...(usable && n1 * n2 * n3 * n4 > 0 ? exact : FALLBACK)]);
    }
    this.#total = new Float64Array(this.#size);
    this.#discounted = new Float64Array(this.#size);
    for (let node = 1; node < this.#size; node++) {
      const parent = this.#parent[node];
      const count = this.#count[node];
      const discounts = this.discounts[this.#length[node]];
      this.#total[parent] += count;
      this.#discounted[parent] += discounts[Math.min(count, 3)];
    }
  }

  #check(token: number): void {
    if (!(Number.isInteger(token) && token >= 0 && token < this.vocab)) {
      throw new RangeError(`token ${token} is outside the vocabulary of ${this.vocab}`);
    }
  }

  /** The slot that holds the key, or the empty slot where it belongs. */
  #slotOf(key: number): number {
    const mask = this.#keys.length - 1;
    const mixed = Math.imul((key >>> 0) ^ Math.imul(Math.floor(key / 2 ** 32) + 1, 0x85ebca6b), 0x9e3779b1);
    let slot = (mixed ^ (mixed >>> 15)) & mask;
    while (this.#keys[slot] !== key && this.#keys[slot] !== -1) slot = (slot + 1) & mask;
    return slot;
  }

  /** The node of (n-gram, next token), or −1. */
  #find(node: number, token: number): number {
    this.#check(token);
    const slot = this.#slotOf(node * this.vocab + token);
    return this.#keys[slot] === -1 ? -1 : this.#slots[slot];
  }

  #findOrAdd(node: number, token: number): number {
    this.#check(token);
    const key = node * this.vocab + token;
    let slot = this.#slotOf(key);
    if (this.#keys[slot] !== -1) return this.#slots[slot];
    if (this.#size === this.#parent.length) {
      this.#grow();
      slot = this.#slotOf(key);
    }
    const added = this.#size++;
    this.#keys[slot] = key;
    this.#slots[slot] = added;
    this.#parent[added] = node;
    this.#length[added] = this.#length[node] + 1;
    return added;
  }

  /** Doubles everything; the table always has two slots a node. */
  #grow(): void {
    const keys = this.#keys;
    const slots = this.#slots;
    this.#keys = new Float64Array(keys.length * 2).fill(-1);
    this.#slots = new Int32Array(keys.length * 2);
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i];
      if (key === -1) continue;
      const slot = this.#slotOf(key);
      this.#keys[slot] = key;
      this.#slots[slot] = slots[i];
    }
    const parent = new Int32Array(this.#parent.length * 2);
    const count = new Int32Array(parent.length);
    const length = new Uint8Array(parent.length);
    parent.set(this.#parent);
    count.set(this.#count);
    length.set(this.#length);
    this.#parent = parent;
    this.#count = count;
    this.#length = length;
  }
}

/** Bits for every token after the first of each document, over the bytes of text that the documents stand for. */
export function bitsPerByte(model: KneserNey, documents: Iterable<ArrayLike<number>>, bytes: number): number {
  if (!(bytes > 0)) throw new RangeError(`bytes ${bytes} is not above 0`);
  let nats = 0;
  for (const document of documents) nats += model.nats(document);
  return nats / Math.LN2 / bytes;
}
