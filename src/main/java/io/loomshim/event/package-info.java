/** Task events: what they are called, and how they reach containerd in order although it may be away. */
package io.loomshim.event;
