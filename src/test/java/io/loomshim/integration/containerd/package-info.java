/** What containerd and the shim are to each other: restarts, outages, inheritance, versions of the protocol. */
package io.loomshim.integration.containerd;
