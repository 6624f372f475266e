package io.loomshim.ttrpc;

/** What the handler of a method may do. */
enum Kind {
  /** It may wait, and counts as stuck when it takes too long. */
  ORDINARY,

  /** It never waits, and the thread that reads the connection answers it. */
  IMMEDIATE,

  /** It may wait without a limit. */
  ENDLESS
}
