/** Processes of a container: execs, signals, exits, orphans. */
package io.loomshim.integration.process;
