/**
 * How connections, and the calls on them, outlive a daemon that is killed, and the labels of all that is kept
 * (docs/RELIABILITY.md). The queues that hold descriptors and the holder that starts the next daemon are in
 * {@code shelf}, streams in {@code stdio}, processes in {@code container}. This room knows neither containers nor the
 * task service.
 */
package io.loomshim.takeover;
