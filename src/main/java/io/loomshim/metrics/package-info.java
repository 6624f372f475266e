/**
 * Means of counting the daemon's own work: latencies, shortages, a budget of memory, and JFR events while a recording
 * runs. Each room keeps its own figures, those of the whole process are taken in {@code inspect}, which gathers all;
 * {@code cli} shows them.
 */
package io.loomshim.metrics;
