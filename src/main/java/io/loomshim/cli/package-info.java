/**
 * The command {@code inspect}, in a JVM of its own (docs/INSPECT.md): asks the daemons for their figures as JSON, and
 * shows them to people (Page), to Prometheus, or as they are. Page and Prometheus name each figure that they show. Two
 * forms ask no daemon: {@code --ended} reads the records of killed daemons, {@code --traces} a recording of JFR.
 */
package io.loomshim.cli;
