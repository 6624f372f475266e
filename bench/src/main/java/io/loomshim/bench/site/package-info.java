/**
 * The private containerd, the programs that are timed, and containers with containerd, with a shim alone, and with
 * runc alone.
 */
package io.loomshim.bench.site;
