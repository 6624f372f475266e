/** Faults, scarcity and hostile clients, and the defects that the Go shim has or had. */
package io.loomshim.integration.faults;
