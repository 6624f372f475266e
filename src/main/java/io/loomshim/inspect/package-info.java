/**
 * What a daemon tells of itself when an operator asks, and the command that asks: {@code inspect} of the launcher, in a
 * JVM of its own (docs/INSPECT.md).
 */
package io.loomshim.inspect;
