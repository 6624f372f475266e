/** What is measured and of which side, how much of it, and the files that a run leaves: samples, omissions, machine. */
package io.loomshim.bench.figure;
