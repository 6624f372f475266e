package io.loomshim.container;

import io.loomshim.stdio.StdioPaths;

/**
 * What a client asks for when it adds a process to a container.
 *
 * @param id unique within the container
 * @param stdio its streams
 * @param process the process object of the OCI runtime spec, as JSON
 */
public record ExecSpec(String id, StdioPaths stdio, String process) {}
