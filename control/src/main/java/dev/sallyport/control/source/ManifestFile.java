package dev.sallyport.control.source;

import dev.sallyport.control.resource.Resource;
import dev.sallyport.model.finding.Finding;
import dev.sallyport.model.name.ObjectRef;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The objects of one file.
 *
 * @param objects those of kinds that matter, in the order they were written
 * @param invalid objects that are there, but not usable: what was good of them before stays
 * @param findings about objects
 * @param values how many there are in all documents, of whatever kind: a part of a file has fewer
 */
record ManifestFile(
        Map<ObjectRef, Resource> objects,
        Set<ObjectRef> invalid,
        List<Finding> findings,
        int values) {}
