// Mode core of feed-forward layers (CoreInfer, specs/coreinfer.md): a prompt is read with all neurons and counted; what is decoded behind it reads only the
// neurons that counted most often (guide `stable`), those of the nearest cluster of texts (`similar`), or either by rule (`auto`, §6). Optionally, tokens
// are counted again from time to time. Whether a token belongs to a prompt is said by the caller, never by how many there are.
import { type Clusters, nearestCluster } from "../cores/clusters.ts";
import { coreOf, coreSize, overlap, ranked, type Tally } from "../cores/rank.ts";
import { CONTROL, FFN_MODES, SIGNALS } from "../ops/select/control.ts";
import { type CompactStore, compactBytes, type Store } from "./compact.ts";
import { type CoreOptions, type CoreSetting, checkCore, type Guide, settingOf } from "./coreoptions.ts";
import { countWhole, type FfnLayer } from "./ffnlayer.ts";
import { type Made, TextCore } from "./textcore.ts";

export interface CoreReport {
  readonly guide: Guide;
  /** Which guide the text went by; dense: all neurons are read; none: no prompt was counted yet. */
  readonly made: Made;
  readonly why: string;
  readonly alpha: number;
  readonly beta: number;
  /** Prompt tokens that were counted. */
  readonly tokens: number;
  readonly overlap?: number;
  /** Number of the nearest cluster. */
  readonly cluster?: number;
  readonly refreshes: number;
  /** Where rows of cores are to be read, and how many bytes of them lie copied for the text that was fed last. */
  readonly store: Store;
  readonly storeBytes: number;
}

/** The rule of `auto`: so many tokens, and cores that share so much (§6). */
const STABLE_TOKENS = 64;
const STABLE_OVERLAP = 0.85;
/** Tokens behind which a text that came in behind another one has its rows copied: by then it has won what copying costs. */
const SETTLED = 8;
/** Share of the layers at either end that keep all neurons (§7). */
const OUTER = 0.15;

/** A prompt that is being read. */
export interface Counting {
  /** Tokens after which `look` is to be called; they end a step. */
  readonly check: number | undefined;
  look(): void;
  end(): void;
  /** The reading was cut short. */
  drop(): void;
}

export class Cores {
  /** Clusters that came with the model. */
  clusters: Clusters | undefined;
  private setting: CoreSetting | undefined;
  private number = 0;
  private layers: readonly FfnLayer[] = [];
  /** Layers in which is counted: those, and the probe of the clusters. */
  private counted: readonly FfnLayer[] = [];
  private text: TextCore | undefined;

  /** Tokens decoded since the text came in behind another. */
  private stay = 0;

  constructor(
    private readonly all: readonly FfnLayer[],
    private readonly rows: CompactStore,
  ) {}

  get on(): boolean {
    return this.setting !== undefined;
  }

  /** Layers that cores are made for, unless others are named: all but the outer ones, and those of which a prompt computes every row. */
  get usual(): readonly FfnLayer[] {
    const countable = this.all.filter((l) => l.tally);
    const skip = Math.ceil(OUTER * this.all.length);
    const inner = countable.filter((l) => this.all.indexOf(l) >= skip && this.all.indexOf(l) < this.all.length - skip);
    return inner.length ? inner : countable;
  }

  /** Throws `usage` for options out of range, or that the model or these layers do not allow. */
  check(o: CoreOptions, layers: readonly FfnLayer[]): void {
    checkCore(o, layers, this.clusters);
  }

  /** Goes over to these options in these layers, which `check` has allowed; texts are without a core until their next prompt. */
  start(o: CoreOptions, layers: readonly FfnLayer[]): void {
    this.stop();
    const { clusters } = this;
    this.setting = settingOf(o, clusters, layers);
    this.layers = layers;
    const probe = this.usable ? this.all.find((l) => l.name === clusters?.probe && l.tally) : undefined;
    this.counted = probe && !layers.includes(probe) ? [...layers, probe] : layers;
  }

  /** Leaves these layers to another mode. */
  release(layers: readonly FfnLayer[]): void {
    const left = this.layers.filter((l) => !layers.includes(l));
    if (left.length === this.layers.length) return;
    const { setting } = this;
    this.stop();
    if (setting && left.length) this.start(setting, left);
  }

  private stop(): void {
    this.write([]);
    this.signal(false);
    this.setting = undefined;
    this.layers = [];
    this.counted = [];
    this.text = undefined;
    this.number++;
  }

  has(layer: FfnLayer): boolean {
    return this.layers.includes(layer);
  }

  /** Can the clusters be compared with what is counted? */
  private get usable(): boolean {
    return this.clusters !== undefined && this.clusters.alpha === this.setting?.alpha;
  }

  /** Tokens of a text's beginning that need not be read again, if the caches hold `shared` of them. */
  reusable(text: TextCore, shared: number): number {
    if (!this.setting) return shared;
    // What auto compares lies inside the prompt.
    return this.setting.guide !== "auto" && text.setting === this.number && text.prefix <= shared ? text.prefix : 0;
  }

  /** The text that the next steps belong to. */
  hold(text: TextCore): void {
    if (!this.setting || (this.text === text && text.setting === this.number)) return;
    if (this.text?.window) this.text.window.tally = this.taken();
    this.text = text;
    if (text.setting !== this.number) {
      text.forget();
      text.setting = this.number;
    }
    this.signal(text.window !== undefined);
    if (text.window?.tally) this.put(text.window.tally);
    this.write(text.window ? [] : text.lists, "held");
    this.stay = 0;
  }

  /** A prompt of so many tokens comes at position `from` of a text; undefined if nothing is to be counted. */
  begin(text: TextCore, from: number, many: number): Counting | undefined {
    const { setting } = this;
    if (!setting) return undefined;
    if (from === 0) text.forget();
    this.hold(text);
    const whole = text.prefix === from;
    text.window = undefined;
    this.put(text.tally);
    this.write([]);
    this.signal(true);
    const tokens = text.counted + many;
    let before: readonly Uint32Array[] | undefined;
    return {
      check: setting.guide === "auto" && tokens >= STABLE_TOKENS ? Math.floor((3 * many) / 4) : undefined,
      look: () => {
        before = this.coresOf(this.taken());
      },
      end: () => {
        this.signal(false);
        text.tally = this.taken();
        text.counted = tokens;
        text.prefix = whole ? from + many : 0;
        text.decoded = 0;
        text.refreshes = 0;
        this.make(text, text.tally, before);
        this.write(text.lists);
      },
      drop: () => {
        this.signal(false);
        text.forget();
      },
    };
  }

  /** Called before a token behind the prompt is fed; the plan to feed it by. */
  before(text: TextCore): "decode" | "prefill" {
    const { setting } = this;
    if (!setting) return "decode";
    this.hold(text);
    if (!text.window && setting.refresh > 0 && text.decoded >= setting.refresh && (text.made === "stable" || text.made === "similar")) {
      text.window = {};
      this.put([]);
      this.write([]);
      this.signal(true);
    }
    if (!text.window && this.stay++ === SETTLED) this.write(text.lists);
    return text.window ? "prefill" : "decode";
  }

  /** Called when it was fed. */
  after(text: TextCore): void {
    const { setting } = this;
    if (!setting) return;
    text.decoded++;
    if (!text.window) return;
    for (const l of this.all) countWhole(l);
    if (text.decoded < setting.refresh + setting.window) return;
    this.signal(false);
    this.place(text, this.taken(), text.made);
    text.window = undefined;
    text.decoded = 0;
    text.refreshes++;
    this.write(text.lists);
  }

  report(): CoreReport | undefined {
    if (!this.setting) return undefined;
    const { guide, alpha, beta, store } = this.setting;
    const { made, why, counted, overlap: shared, cluster, refreshes } = this.text ?? new TextCore();
    const storeBytes = this.layers.reduce((sum, l) => sum + compactBytes(l), 0);
    return {
      guide,
      made,
      why,
      alpha,
      beta,
      tokens: counted,
      ...(shared !== undefined ? { overlap: shared } : {}),
      ...(cluster !== undefined ? { cluster } : {}),
      refreshes,
      store,
      storeBytes,
    };
  }

  /** Chooses by which guide a text goes, and makes its cores. */
  private make(text: TextCore, tally: readonly Tally[], before: readonly Uint32Array[] | undefined): void {
    const { guide } = this.setting as CoreSetting;
    text.overlap = before && mean(this.coresOf(tally).map((core, i) => overlap(before[i], core)));
    const few = `${text.counted} prompt tokens are fewer than ${STABLE_TOKENS}`;
    const unlike = `cores after three quarters of the prompt share ${((text.overlap ?? 0) * 100).toFixed(0)} %`;
    const found = text.overlap === undefined ? few : unlike;
    if (guide !== "auto") this.place(text, tally, guide, "as asked");
    else if ((text.overlap ?? 0) >= STABLE_OVERLAP) this.place(text, tally, "stable", `auto: ${unlike}`);
    else if (this.usable) this.place(text, tally, "similar", `auto: ${found}`);
    else this.place(text, tally, "dense", `auto: ${found}, and there are no clusters for alpha ${this.setting?.alpha}`);
  }

  /** Gives a text the cores of a guide. */
  private place(text: TextCore, tally: readonly Tally[], made: Made, why = text.why): void {
    text.made = made;
    text.why = why;
    if (made === "similar") text.cluster = this.nearest(tally);
    const { beta } = this.setting as CoreSetting;
    text.lists = this.layers.map((l, i) => {
      const size = coreSize(l.neurons, beta);
      if (made === "dense" || size === l.neurons) return undefined;
      const list = made === "similar" ? this.clusters?.layers.get(l.name)?.[text.cluster as number].slice(0, size) : coreOf(tally[i], size);
      // Nothing fired: nothing is known to be idle.
      return list?.length ? Uint32Array.from(list).sort() : undefined;
    });
  }

  private nearest(tally: readonly Tally[]): number {
    const clusters = this.clusters as Clusters;
    const at = this.counted.findIndex((l) => l.name === clusters.probe);
    return nearestCluster(clusters, ranked(tally[at]).slice(0, clusters.top));
  }

  private coresOf(tally: readonly Tally[]): Uint32Array[] {
    const { beta } = this.setting as CoreSetting;
    return this.layers.map((l, i) => coreOf(tally[i], coreSize(l.neurons, beta)));
  }

  /** Copies of what the kernels have counted. */
  private taken(): Tally[] {
    return this.counted.map(({ tally }) => ({ counts: (tally as Tally).counts.slice(), mass: (tally as Tally).mass.slice() }));
  }

  /** Puts counts in place; zeros where there are none. */
  private put(tally: readonly Tally[]): void {
    this.counted.forEach((l, i) => {
      const place = l.tally as Tally;
      if (tally[i]) {
        place.counts.set(tally[i].counts);
        place.mass.set(tally[i].mass);
      } else {
        place.counts.fill(0);
        place.mass.fill(0);
      }
    });
  }

  /** @param how of texts that take turns none is copied, unless it stays */
  private write(lists: readonly (Uint32Array | undefined)[], how: "held" | "copy" = "copy"): void {
    this.layers.forEach((l, i) => {
      this.rows.write(l, lists[i], this.setting?.store === "compact" ? how : "gather");
      // All neurons are read the way that gives the bits of dense and may leave out zeros.
      l.control[CONTROL.mode] = FFN_MODES.indexOf(lists[i] ? "core" : "exact");
    });
  }

  private signal(on: boolean): void {
    for (const l of this.counted) {
      l.control[CONTROL.signal] = on ? SIGNALS.indexOf((this.setting as CoreSetting).signal) : 0;
      l.floats[CONTROL.alpha] = (this.setting as CoreSetting).alpha;
    }
  }
}

const mean = (v: readonly number[]) => v.reduce((a, b) => a + b, 0) / v.length;
