/**
 * The command {@code inspect}, in a JVM of its own (docs/INSPECT.md): asks the daemons for their figures as JSON, and
 * shows them to people (Page), to Prometheus, or as they are. Page and Prometheus name each figure that they show.
 */
package io.loomshim.cli;
