/**
 * What every room may say of a failure: the code and text for the client, that something had run out, what the JDK's
 * texts mean. Knows no other room.
 */
package io.loomshim.errors;
