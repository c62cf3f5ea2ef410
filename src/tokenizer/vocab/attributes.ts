/** Attribute bits of a token. A file gives one; rules of the reference may add others. */
export const attribute = {
  unknown: 1,
  unused: 2,
  normal: 4,
  control: 8,
  userDefined: 16,
  byte: 32,
  /** White space to the left (right) of the token belongs to it when it is found in a text. */
  stripLeft: 64,
  stripRight: 128,
} as const;
