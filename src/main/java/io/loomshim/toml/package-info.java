/**
 * The part of TOML that runtime options are written in: one table of names and plain values. Pure.
 */
package io.loomshim.toml;
