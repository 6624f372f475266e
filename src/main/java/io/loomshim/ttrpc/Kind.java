package io.loomshim.ttrpc;

/** What the handler of a method may do. */
enum Kind {
  /** Wait, but only so long. */
  ORDINARY,

  /** Not wait at all: it is answered on the thread that reads the connection. */
  IMMEDIATE,

  /** Wait for as long as it takes. */
  ENDLESS
}
