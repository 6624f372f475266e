/** What /proc tells of the shims that are measured, and of the room that the machine has left. */
package io.loomshim.bench.proc;
