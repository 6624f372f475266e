/** The comparison with the Go shims: each scenario measures some figures of all sides, in turn ({@code bench.sh}). */
package io.loomshim.bench.scenario;
