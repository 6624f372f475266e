/** Clients of containerd: ctr, Docker and Kubernetes' CRI. */
package io.loomshim.integration.clients;
