/**
 * The comparison of virtual and platform threads, on JDK 21 and 25: axes, cells and their page
 * ({@code loom-bench.sh}).
 */
package io.loomshim.bench.loom;
