/**
 * The inference engines that a build carries, and what of them this device uses. The rule is one for
 * a model's variants and for an engine's builds: the first one whose needs the device meets.
 */
export class Engines {
  #site;
  #features;
  #base;

  /** @param {object} site @param {Iterable<string>} features see features.mjs @param {string} base */
  constructor(site, features, base) {
    this.#site = site;
    this.#features = new Set(features);
    this.#base = base;
  }

  /** A model's variant for this device. */
  variant(model) {
    const usable = ({ engine, needs }) => engine in this.#site.engines && this.#meets(needs);
    return model.variants.find(usable) ?? model.variants.at(-1);
  }

  /** The engine to start before anybody asks: what the last visit needed, else the first model. */
  first(ahead) {
    if (ahead?.engine in this.#site.engines) return ahead.engine;
    return this.variant(this.#site.models[0]).engine;
  }

  /** Where an engine's scripts and WASM are, by the names that the inference worker has for them. */
  urls(name) {
    const urls = Object.entries(this.#site.engines[name].urls);
    return Object.fromEntries(urls.map(([what, url]) => [what, this.#url(url)]));
  }

  /** URLs of all that this device needs of an engine. */
  files(name) {
    return Object.keys(this.#build(name).files).map((url) => this.#url(url));
  }

  /** What an inference worker is started with. */
  start(name) {
    const files = Object.entries(this.#build(name).files);
    const [wasm, integrity] = files.find(([url]) => url.endsWith(".wasm.zst"));
    const travels = { url: this.#url(wasm), integrity };
    return { engine: name, ...this.urls(name), wasm: travels, part: this.part(name) };
  }

  /** What an engine is to the person who waits for it: {name, bytes}. */
  part(name) {
    return {
      name: `Inference engine (${this.#site.engines[name].title})`,
      bytes: this.#build(name).bytes,
    };
  }

  #build(name) {
    const { builds } = this.#site.engines[name];
    return builds.find(({ needs }) => this.#meets(needs)) ?? builds.at(-1);
  }

  #meets(needs) {
    return needs.every((need) => this.#features.has(need));
  }

  #url(relative) {
    return new URL(relative, this.#base).href;
  }
}
