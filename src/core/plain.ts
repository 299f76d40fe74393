/** Values that JSON keeps. */
export type Plain = null | boolean | number | string | Plain[] | { [name: string]: Plain };
