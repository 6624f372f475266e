/** The private containerd, the programs that are timed, and containers with a shim, with containerd, or with runc alone. */
package io.loomshim.bench.site;
