package dev.sallyport.control.event;

import dev.sallyport.model.name.ObjectRef;

/**
 * Something that was done for an object, told once: no state that holds.
 *
 * @param object which
 * @param about what of it, for instance a host: later news of the same take the place of earlier
 *     ones that were not told yet
 * @param reason in one word
 * @param note for people
 */
public record News(ObjectRef object, String about, String reason, String note) {}
