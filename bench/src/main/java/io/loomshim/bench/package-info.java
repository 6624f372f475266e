/**
 * The benchmarks: what this shim costs beside containerd's own, with other kinds of threads, and after hours of work.
 * Of the product they use its calls into the kernel, to start programs without a delay, and its messages.
 */
package io.loomshim.bench;
