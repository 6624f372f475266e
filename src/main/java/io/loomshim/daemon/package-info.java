/** The daemon: its configuration, its files, what wires everything together, and when it ends. */
package io.loomshim.daemon;
