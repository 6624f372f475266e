/** Containers from beginning to end, one and many, as their users and the subscribers of their events see them. */
package io.loomshim.integration.lifecycle;
