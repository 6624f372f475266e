/**
 * What every room may say about a failure: the code and text that the client sees, whether something had run out, and
 * what the JDK's texts mean. Knows no other room.
 */
package io.loomshim.errors;
