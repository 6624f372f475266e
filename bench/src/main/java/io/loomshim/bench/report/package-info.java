/** Tables, plots and pages of the comparison with the Go shims, made from the files of a run alone. */
package io.loomshim.bench.report;
