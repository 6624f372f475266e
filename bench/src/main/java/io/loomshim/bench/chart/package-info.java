/** Drawings in SVG of figures: bars, lines and ratios with their axes. */
package io.loomshim.bench.chart;
