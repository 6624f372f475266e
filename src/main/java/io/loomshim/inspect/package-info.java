/**
 * What a daemon tells about itself when an operator runs {@code inspect}: a ttrpc service whose answer is JSON
 * (docs/INSPECT.md).
 */
package io.loomshim.inspect;
