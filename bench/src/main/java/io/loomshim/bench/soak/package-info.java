/** One daemon under load for long, and whether what it holds stays flat ({@code soak.sh}). */
package io.loomshim.bench.soak;
