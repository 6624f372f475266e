/**
 * Clients that do everything at once while the daemon is killed again and again. Each of them knows what it must see.
 */
package io.loomshim.integration.storm;
