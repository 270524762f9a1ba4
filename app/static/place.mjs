/** Where a site stores things: its folder and its key, so that two sites on one origin never meet. */
export const scopeOf = (site, base) => new URL(".", base).pathname + site.scope_key;
