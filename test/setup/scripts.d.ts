// The set-up scripts are plain JavaScript, which needs no declarations of its own; their tests see them untyped.
declare module '*.mjs';
