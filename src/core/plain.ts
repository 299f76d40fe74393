/** Values that JSON can represent. */
export type Plain = null | boolean | number | string | Plain[] | { [name: string]: Plain };
